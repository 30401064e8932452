// A contestant that has both cores, which the load generator then takes time from: for what only shows on more than one.
import type { Contestant, RunPlan } from './scenario.ts';

const everywhere = (plan: RunPlan): RunPlan => ({
  ...plan,
  cores: { server: null, load: null, warning: plan.cores.warning },
});

/** The contestant, its load generator and its database, all on any core. */
export function onBothCores(contestant: Contestant): Contestant {
  return {
    name: contestant.name,
    version: contestant.version,
    run: (plan) => contestant.run(everywhere(plan)),
    // One that cannot tell without a load has nothing wrong either.
    rehearse: async (plan) => (await contestant.rehearse?.(everywhere(plan))) ?? null,
  };
}
