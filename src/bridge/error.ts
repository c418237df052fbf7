/** An error as it crosses a thread: class and code survive (design.md §3). */
export interface WireError {
  readonly name: 'KeeproomError' | 'TypeError' | 'RangeError' | 'AbortError';
  readonly code: string;
  readonly message: string;
}
