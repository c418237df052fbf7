/** Fetches the vendor's archive, checks it against the published checksums; answers in words what happened. */
export function downloadLivekit(options?: {
  readonly baseUrl?: string;
  readonly target?: string;
  /** As `linux x64`: Node's names of platform and processor. */
  readonly platform?: string;
}): Promise<string>;
