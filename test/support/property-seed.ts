// The seed of all property tests, loaded before them: the same at each run, so that what passes here passes everywhere.
// PROPERTY_SEED=random (or a number) looks elsewhere.
import { configureGlobal, readConfigureGlobal } from 'fast-check';

const DEFAULT_SEED = 20_261_122;

const asked = process.env['PROPERTY_SEED'];
const seed = asked === 'random' ? Math.trunc(Math.random() * 2 ** 31) : Number(asked ?? DEFAULT_SEED);
configureGlobal({ ...readConfigureGlobal(), seed });
