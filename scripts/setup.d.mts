/** A tool that was found, with the path to run it by. */
export interface Tool {
  readonly path: string;
  readonly version: string;
  /** An environment variable's name, `PATH`, `system`, `cache` or `playwright`. */
  readonly from: string;
  /** What Playwright must be told to drive a stock Firefox; absent for its own build. */
  readonly channel?: string;
}

export type ToolName = 'chromium' | 'firefox' | 'livekit';

/** What the last set-up found, or what is found now; nothing is installed. */
export function tools(): Partial<Record<ToolName, Tool>>;

/** One tool, or an error that says how to get it. */
export function requireTool(name: ToolName): Tool;

/** Finds and installs what is named; answers with what is still missing. */
export function setUp(
  wanted: readonly ('node' | ToolName)[],
  options?: { readonly findOnly?: boolean; readonly say?: (line: string) => void },
): Promise<string[]>;
