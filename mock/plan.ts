/**
 * What one request meets: the mock's script, changed by the request's own `X-Mock-*` headers, and the fault whose
 * turn it is. A fault asked for by the request goes before the next one queued, and that before the standing one.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { FAULT_GRAMMAR, type Fault, parseFault } from './faults.ts';
import { type MockScript, parseScript } from './script.ts';

export type Plan = { readonly script: MockScript; readonly fault: Fault | null };

export type PlanResult =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly problem: string };

/** The live script of a mock, with the counting that its faults need. */
export type Planner = {
  readonly script: MockScript;
  set(changes: Partial<MockScript>): void;
  /** Plans the next request; each call takes one fault from `nextFaults` when there is any. */
  next(headers: IncomingHttpHeaders, onReusedSocket: boolean): PlanResult;
};

export function createPlanner(initial: MockScript): Planner {
  let script = initial;
  let requestsSinceSet = 0;

  function scriptedFault(onReusedSocket: boolean): Fault | null {
    const [queued, ...rest] = script.nextFaults;
    if (queued !== undefined) {
      script = { ...script, nextFaults: rest };
      return queued === null ? null : parseFault(queued);
    }
    if (script.fault === null) return null;
    if (requestsSinceSet % script.faultEvery !== 0) return null;
    if (script.faultOnReusedSocket && !onReusedSocket) return null;
    return parseFault(script.fault);
  }

  return {
    get script() {
      return script;
    },
    set(changes) {
      script = { ...script, ...changes };
      requestsSinceSet = 0;
    },
    next(headers, onReusedSocket) {
      requestsSinceSet++;
      const own = headers['x-mock-fault'] === undefined ? scriptedFault(onReusedSocket) : null;
      return planWithHeaders(headers, { script, fault: own });
    },
  };
}

function planWithHeaders(headers: IncomingHttpHeaders, scripted: Plan): PlanResult {
  let { script, fault } = scripted;
  const scriptText = textOf(headers['x-mock-script']);
  const faultText = textOf(headers['x-mock-fault']);
  const bytesText = textOf(headers['x-mock-body-bytes']);
  if (scriptText !== null) {
    const check = parseScript(scriptText);
    if (!check.ok) return { ok: false, problem: `X-Mock-Script: ${check.problems.join('; ')}` };
    script = { ...script, ...check.changes };
  }
  if (bytesText !== null) {
    if (!/^\d{1,15}$/.test(bytesText)) {
      return { ok: false, problem: `X-Mock-Body-Bytes: must be a whole number, is '${bytesText}'` };
    }
    script = { ...script, bodyBytes: Number(bytesText) };
  }
  if (faultText !== null) {
    fault = parseFault(faultText);
    if (fault === null) {
      return { ok: false, problem: `X-Mock-Fault: must be one of ${FAULT_GRAMMAR}, is '${faultText}'` };
    }
  }
  return { ok: true, plan: { script, fault } };
}

function textOf(header: string | string[] | undefined): string | null {
  return typeof header === 'string' ? header : null;
}
