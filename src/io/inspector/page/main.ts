/** Starts the page: puts state, server and picture together, and draws once per frame at most. */
import { render } from 'lit-html';
import { createClient } from './client.ts';
import { createCommands } from './commands.ts';
import { createController, TICK_MS } from './controller.ts';
import { hashOf, placeOf } from './model/address.ts';
import { commandOf } from './model/keys.ts';
import { createGatewayClock } from './model/playback.ts';
import { type Action, INITIAL, type PageState, reduce } from './model/state.ts';
import type { View } from './model/time-window.ts';
import { app } from './view/app.ts';
import { type Actions, contextOf } from './view/context.ts';

const root = document.getElementById('page') ?? document.body;
const localNow = () => performance.now();
const clock = createGatewayClock();
const client = createClient((at) => clock.hear(at, localNow()));

let state: PageState = INITIAL;
let isDrawing = false;

function dispatch(action: Action): void {
  const before = state;
  state = reduce(state, action);
  if (state !== before && !isDrawing) {
    isDrawing = true;
    requestAnimationFrame(draw);
  }
}

function draw(): void {
  isDrawing = false;
  render(app(contextOf(state, actions)), root);
  keepAddress();
}

const controller = createController({
  client,
  state: () => state,
  dispatch,
  localNow,
  gatewayNow: () => clock.now(localNow()) ?? 0,
});

const VIEW_SETTLE_MS = 150;
let settling: ReturnType<typeof setTimeout> | undefined;

function setView(view: View): void {
  dispatch({ type: 'viewSet', view });
  clearTimeout(settling);
  settling = setTimeout(controller.refreshOverview, VIEW_SETTLE_MS);
}

const run = createCommands({ controller, state: () => state, dispatch, setView, focusSearch });
const set = (values: Extract<Action, { type: 'set' }>['values']) => dispatch({ type: 'set', values });

const actions: Actions = {
  run,
  goTo: controller.goTo,
  view: setView,
  speed: (speed) => set({ speed }),
  choose: (chosen) => set({ chosen }),
  filter: (filter) => dispatch({ type: 'filterSet', filter }),
  page: (range) => set({ range }),
  eventsAs: (eventsAs) => set({ eventsAs }),
  open: (opened) => set({ opened }),
  search(id) {
    controller.search(id);
    if (id !== '') requestAnimationFrame(() => document.getElementById('request')?.focus());
  },
  ask: (question) => set({ question }),
  carryOut: controller.carryOut,
  hover: (hover) => set({ hover }),
  help: (showsHelp) => set({ showsHelp }),
};

function focusSearch(): void {
  const field = document.getElementById('search');
  if (field instanceof HTMLInputElement) field.select();
}

/** The picture of the timeline is drawn in pixels, so it has to know how many there are. */
function watchWidth(): void {
  const timeline = document.getElementById('timeline');
  if (timeline === null) return;
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width === state.width) return;
    set({ width });
    // How finely time is divided follows from it.
    controller.refreshOverview();
  }).observe(timeline);
}

/** A moment at which the page stays has an address of its own. */
function keepAddress(): void {
  const { mode, moment, chosen, search } = state;
  if (moment === null || mode === 'playing') return;
  const wanted = controller.wanted();
  const shown = mode === 'paused' ? moment.seq : null;
  // What the address names stays there until it is shown, however long the log takes to be read.
  const seq = wanted !== null && wanted !== 'end' && 'seq' in wanted ? wanted.seq : shown;
  const hash = hashOf({ seq, backend: chosen, request: search?.id ?? null });
  if (hash !== (location.hash || '#')) history.replaceState(null, '', hash);
}

function goToAddress(): void {
  const { seq, backend, request } = placeOf(location.hash);
  if (backend !== null) actions.choose(backend);
  if (request !== null) actions.search(request);
  if (seq !== null) controller.goTo({ seq });
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || state.question !== null || state.showsHelp) return;
  const target = event.target instanceof Element ? event.target : document.body;
  if (isTakenBy(target, event.key)) return;
  const command = commandOf(event);
  if (command === undefined) return;
  event.preventDefault();
  run(command);
}

/** Keys that mean something to what has the focus stay with it: text to a field, arrows to the slider, Space to a button. */
function isTakenBy(target: Element, key: string): boolean {
  if (target.closest('select, input:not([type=range]), textarea') !== null) return true;
  if (target.closest('input[type=range]') !== null) return /^(?:Arrow|Home|End|Page)/.test(key);
  if (target.closest('button, summary, a') !== null) return key === ' ' || key === 'Enter';
  return target.closest('[tabindex]') !== null && /^Arrow/.test(key);
}

document.addEventListener('keydown', onKey);
addEventListener('hashchange', goToAddress);
render(app(contextOf(state, actions)), root);
watchWidth();
goToAddress();
setInterval(() => {
  if (!document.hidden) controller.tick();
}, TICK_MS);
