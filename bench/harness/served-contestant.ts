// A contestant whose server is started for each run, looked at, measured, looked at again, and stopped. What is measured, and
// what a right answer is, say others.
import { fileURLToPath } from 'node:url';
import type { Contestant, DiscountedRun, RunPlan, RunResult } from './scenario.ts';
import { freePort } from '../../test/support/free-port.ts';
import { startServer } from './server-process.ts';
import type { ServerCommand, ServerProcess } from './server-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGES = '/node_modules/';

export function discounted(reason: string): DiscountedRun {
  return { kind: 'discounted', reason };
}

/** What an error of any kind says, for a reason. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The command line with the files of this checkout replaced by those of another; packages stay. */
export function relocated(command: readonly string[], checkout: string | undefined): readonly string[] {
  if (checkout === undefined) return command;
  return command.map((part) =>
    part.startsWith(ROOT) && !part.includes(PACKAGES) ? `${checkout}/${part.slice(ROOT.length)}` : part,
  );
}

function planned(server: ServerCommand, plan: RunPlan): ServerCommand {
  return {
    command: (port) => relocated(server.command(port), plan.checkout),
    get environment() {
      return { ...server.environment, ...plan.environment };
    },
    ready: server.ready,
  };
}

/** `check` answers what is wrong with the server's answers, or null. */
export function servedContestant(
  name: string,
  version: string,
  command: ServerCommand,
  measureServer: (server: ServerProcess, plan: RunPlan) => Promise<RunResult>,
  check: (server: ServerProcess) => Promise<string | null> = async () => null,
): Contestant {
  async function served(
    plan: RunPlan,
    use: (server: ServerProcess) => Promise<RunResult | null>,
  ): Promise<RunResult | null> {
    let server: ServerProcess;
    try {
      server = await startServer(planned(command, plan), await freePort(), plan.cores.server);
    } catch (error) {
      return discounted(messageOf(error));
    }
    let result: RunResult | null;
    try {
      const fault = await check(server);
      result = fault === null ? await use(server) : discounted(`before the load: ${fault}`);
    } catch (error) {
      result = discounted(messageOf(error));
    }
    const end = await server.stop();
    return end === null || result?.kind === 'discounted' ? result : discounted(end);
  }

  return {
    name,
    version,
    async run(plan) {
      const result = await served(plan, async (server) => {
        const measured = await measureServer(server, plan);
        const fault = measured.kind === 'counted' ? await check(server) : null;
        return fault === null ? measured : discounted(`after the load: ${fault}`);
      });
      return result ?? discounted('it was not measured');
    },
    async rehearse(plan) {
      const result = await served(plan, async () => null);
      return result?.kind === 'discounted' ? result.reason : null;
    },
  };
}
