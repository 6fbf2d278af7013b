/** The option of pynvme's pytest plugin in a list of pytest's arguments. */

const OPTION = "--pciaddr";

/** The address that the arguments name, or null. Of several options the last one counts. */
export function deviceOf(args: readonly string[]): string | null {
  let found: string | null = null;
  args.forEach((word, index) => {
    if (word === OPTION) found = args[index + 1] ?? found;
    else if (word.startsWith(`${OPTION}=`)) found = word.slice(OPTION.length + 1);
  });
  return found;
}

/** The same arguments with that address, in the place where the option was, or at the end. */
export function withDevice(args: readonly string[], address: string): string[] {
  const option = `${OPTION}=${address}`;
  const result: string[] = [];
  let placed = false;
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? "";
    if (word !== OPTION && !word.startsWith(`${OPTION}=`)) {
      result.push(word);
      continue;
    }
    if (word === OPTION) index++;
    if (!placed) result.push(option);
    placed = true;
  }
  return placed ? result : [...result, option];
}
