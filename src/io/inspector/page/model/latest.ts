/** Ways to ask one question at a time. Of those that come meanwhile either the last is asked afterwards, or each. */

export type Latest<Question> = (question: Question) => void;

/** @param ask must not reject; of the questions that come while it is busy, it gets the last */
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

/** @param ask must not reject; it gets every question, in the order in which they came */
export function createInTurn<Question>(
  ask: (question: Question) => Promise<void>,
): (question: Question) => void {
  let last = Promise.resolve();
  return (question) => {
    last = last.then(() => ask(question));
  };
}
