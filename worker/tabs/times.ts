/** A leader says that it lives, whatever else it does (tabs.md rule 3). */
export const beatMs = 500;
/** A tab that waits for an answer and hears nothing for this long asks the leader to show itself. */
export const askAfterMs = 2_000;
/** When the leader stays silent for this long in all, its lock is taken from it. */
export const stealAfterMs = 4_000;
/** A leader that has said that it leaves is given this long: a browser may freeze its worker in the middle of that. */
export const leaveMs = 500;
/** Of several tabs that would steal, the one with the lowest id goes first; the others wait this much longer. */
export const standAsideMs = 1_000;
/** After a start that failed, the next one waits this long, and each time twice as long up to the limit. */
export const firstRetryMs = 1_000;
export const maxRetryMs = 30_000;
/** A leader that gives up waits this long for its last commit; what is not stored by then is asked again by its page. */
export const flushMs = 2_000;
