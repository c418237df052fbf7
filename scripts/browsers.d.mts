/** Options for `playwright[name].launch`, from what the set-up found. */
export function launchOptions(name: 'chromium' | 'firefox'): {
  readonly executablePath?: string;
  readonly channel?: string;
  readonly args?: string[];
  readonly firefoxUserPrefs?: Record<string, string | number | boolean>;
};
