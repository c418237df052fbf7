import { secondOpinionSuite } from './second-opinion.kit.js';
import { vectorSuite } from './vectors.suite.kit.js';

vectorSuite();
secondOpinionSuite();
