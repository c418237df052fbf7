import { describe } from 'vitest';
import { base64UrlSuite } from './base64url.kit.js';

describe('bytes', base64UrlSuite);
