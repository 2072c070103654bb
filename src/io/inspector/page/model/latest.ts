/** Asks one question at a time; of those that come meanwhile only the last is asked afterwards. */

export type Latest<Question> = (question: Question) => void;

/** @param ask must not throw; what it resolves with is its own business */
export function createLatest<Question>(ask: (question: Question) => Promise<void>): Latest<Question> {
  let isBusy = false;
  let next: { readonly question: Question } | undefined;
  const run = async (question: Question) => {
    isBusy = true;
    await ask(question);
    isBusy = false;
    const waiting = next;
    next = undefined;
    if (waiting !== undefined) void run(waiting.question);
  };
  return (question) => {
    if (isBusy) next = { question };
    else void run(question);
  };
}
