import { primitiveSuite } from './primitives.suite.kit.js';

primitiveSuite();
