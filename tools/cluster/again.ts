// again: a program that shall run all the time in, words for a shell out that begins it anew whenever it ends: what a machine's init
// does for its kubelet. One of Kubernetes 1.35 crashes at its start once in many ("concurrent map iteration and map write").

/** `pauseS`: seconds between an end and the next beginning. */
export const again = (words: readonly string[], pauseS = 1): string[] => [
  ...["bash", "-c", `while :; do "$@"; echo "it ended with $? and begins anew"; sleep ${pauseS}; done`, "again"],
  ...words,
];
