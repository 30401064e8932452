// The channels that one client of the gateway listens to, read from its SQL, since all clients share one session. Sends nothing.
import { changesChannels } from './command-tags.ts';
import { quoteIdentifier } from '../session-reset.ts';
import { channelChanges } from './sql-scan.ts';

export class ClientChannels {
  readonly names = new Set<string>();
  #suspect = false;

  /** Whether the session may listen to something else than it should. */
  get areSuspect(): boolean {
    return this.#suspect;
  }

  /** Notes what a text of the client's asks for. */
  noteText(text: string): void {
    for (const change of channelChanges(text)) {
      if (change.kind === 'listen') this.names.add(change.channel);
      else if (change.kind === 'unlisten') this.names.delete(change.channel);
      else this.names.clear();
    }
  }

  /** Notes what was done. A client's UNLISTEN and DISCARD ALL hit the one session that all of them listen with. */
  noteCommand(tag: string): void {
    if (changesChannels(tag)) this.#suspect = true;
  }

  /** The statements with which the session listens to `channels` and nothing else; it is taken to do so from then on. */
  listenAgain(channels: readonly string[]): string {
    this.#suspect = false;
    return `UNLISTEN *; ${channels.map((channel) => `LISTEN ${quoteIdentifier(channel)}`).join('; ')}`;
  }
}
