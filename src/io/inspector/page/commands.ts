/** Gives each command of the keys and buttons its meaning. */
import type { Controller } from './controller.ts';
import type { Command } from './model/keys.ts';
import { otherSpeed } from './model/playback.ts';
import { type Action, boundsOf, type PageState } from './model/state.ts';
import { panned, type TimeWindow, type View, WHOLE, windowOf, zoomed } from './model/time-window.ts';

const ZOOM_STEP = 1.6;
const PAN_STEP = 0.3;

type Parts = {
  readonly controller: Controller;
  readonly state: () => PageState;
  readonly dispatch: (action: Action) => void;
  readonly setView: (view: View) => void;
  readonly focusSearch: () => void;
};

/** @returns what runs a command */
export function createCommands({
  controller,
  state,
  dispatch,
  setView,
  focusSearch,
}: Parts): (command: Command) => void {
  const look = (move: (shown: TimeWindow, bounds: TimeWindow) => View) => {
    const bounds = boundsOf(state());
    if (bounds !== null) setView(move(windowOf(state().view, bounds), bounds));
  };
  const zoom = (factor: number) =>
    look((shown, bounds) => zoomed(shown, bounds, factor, state().cursor ?? shown.until));
  const setSpeed = (direction: 1 | -1) =>
    dispatch({ type: 'set', values: { speed: otherSpeed(state().speed, direction) } });
  const meanings: Readonly<Record<Command, () => void>> = {
    playPause: controller.playOrPause,
    previousEntry: () => controller.step('previousEntry'),
    nextEntry: () => controller.step('nextEntry'),
    previousChange: () => controller.step('previousChange'),
    nextChange: () => controller.step('nextChange'),
    toStart() {
      const first = state().overview?.first;
      if (first != null) controller.goTo({ seq: first.seq });
    },
    toEnd: controller.follow,
    slower: () => setSpeed(-1),
    faster: () => setSpeed(1),
    zoomIn: () => zoom(1 / ZOOM_STEP),
    zoomOut: () => zoom(ZOOM_STEP),
    panLeft: () => look((shown, bounds) => panned(shown, bounds, -PAN_STEP)),
    panRight: () => look((shown, bounds) => panned(shown, bounds, PAN_STEP)),
    showAll: () => setView(WHOLE),
    search: focusSearch,
    help: () => dispatch({ type: 'set', values: { showsHelp: true } }),
  };
  return (command) => meanings[command]();
}
