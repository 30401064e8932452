// Tells systemd how the service is (sd_notify(3), Type=notify). Its socket takes datagrams, which Node.js does not have for UNIX
// sockets: the program systemd-notify, which is there wherever systemd is, sends them. The unit needs NotifyAccess=all for that.
import { execFile } from 'node:child_process';

/**
 * Resolves when it was told, or when there is nobody to tell. Rejects with why it could not be.
 * `assignments`: `READY=1`, `STOPPING=1`, `STATUS=…`.
 */
export async function notifyServiceManager(
  env: Readonly<Record<string, string | undefined>>,
  ...assignments: readonly string[]
): Promise<void> {
  if ((env['NOTIFY_SOCKET'] ?? '') === '') return;
  await new Promise<void>((resolve, reject) => {
    execFile('systemd-notify', [...assignments], (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}
