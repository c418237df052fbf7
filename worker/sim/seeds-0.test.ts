import { registerSeeds } from './seeds.kit.js';

registerSeeds(0);
