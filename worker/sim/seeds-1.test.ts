import { registerSeeds } from './seeds.kit.js';

registerSeeds(1);
