// text: the tokens that the workers of this bench say: one line of code that nothing cuts before its end.

/** The nth token of every generation. */
export const textOf = (nth: number): string => (nth === 0 ? "total" : ` + a${nth}`);
