/** How document and test titles compare; empty lists mean that they agree. */
export interface RuleVerdict {
  readonly rules: number;
  readonly untested: readonly string[];
  readonly unknown: readonly string[];
}

/** Rule ids that a document defines. */
export function rulesOf(document: string): ReadonlySet<string>;

/** Titles of the tests of one source file. */
export function titlesOf(source: string, name?: string): string[];

/** What is wrong between a document and test titles. */
export function compareRules(document: string, titles: readonly string[]): RuleVerdict;

/** The check over this repository. */
export function checkRules(): RuleVerdict;
