/** What each key does, in one table that the help shows too. */

export type Command =
  | 'playPause'
  | 'previousEntry'
  | 'nextEntry'
  | 'previousChange'
  | 'nextChange'
  | 'toStart'
  | 'toEnd'
  | 'slower'
  | 'faster'
  | 'zoomIn'
  | 'zoomOut'
  | 'panLeft'
  | 'panRight'
  | 'showAll'
  | 'search'
  | 'help';

type Binding = {
  readonly keys: readonly string[];
  readonly shown: string;
  readonly command: Command;
  readonly does: string;
};

export const BINDINGS: readonly Binding[] = [
  { keys: [' ', 'k'], shown: 'Space', command: 'playPause', does: 'play or pause' },
  { keys: ['ArrowLeft'], shown: '←', command: 'previousEntry', does: 'one entry back' },
  { keys: ['ArrowRight'], shown: '→', command: 'nextEntry', does: 'one entry on' },
  {
    keys: ['Shift+ArrowLeft', 'p'],
    shown: 'Shift ←',
    command: 'previousChange',
    does: 'to the state change before',
  },
  {
    keys: ['Shift+ArrowRight', 'n'],
    shown: 'Shift →',
    command: 'nextChange',
    does: 'to the next state change',
  },
  { keys: ['Home'], shown: 'Home', command: 'toStart', does: 'to the beginning' },
  { keys: ['End', 'l'], shown: 'End', command: 'toEnd', does: 'to the end, and follow it if live' },
  { keys: ['<', ','], shown: ',', command: 'slower', does: 'play slower' },
  { keys: ['>', '.'], shown: '.', command: 'faster', does: 'play faster' },
  { keys: ['+', '='], shown: '+', command: 'zoomIn', does: 'zoom in on the slider' },
  { keys: ['-'], shown: '−', command: 'zoomOut', does: 'zoom out' },
  { keys: ['['], shown: '[', command: 'panLeft', does: 'earlier part of the timeline' },
  { keys: [']'], shown: ']', command: 'panRight', does: 'later part of the timeline' },
  { keys: ['0'], shown: '0', command: 'showAll', does: 'show all of it' },
  { keys: ['/'], shown: '/', command: 'search', does: 'search for a request' },
  { keys: ['?'], shown: '?', command: 'help', does: 'this list' },
];

export type KeyPress = {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
};

/** @returns what the key asks for; undefined where it is not ours */
export function commandOf({ key, shiftKey, ctrlKey, altKey, metaKey }: KeyPress): Command | undefined {
  if (ctrlKey || altKey || metaKey) return undefined;
  // Shift is part of the name only where it does not already make another character.
  const name = shiftKey && key.length > 1 ? `Shift+${key}` : key;
  return BINDINGS.find(({ keys }) => keys.includes(name))?.command;
}
