/**
 * Sets CSS custom properties on an element: `<div ${vars({ '--share': '40%' })}>`. By way of the element's style object,
 * since the page's Content-Security-Policy forbids `style` attributes.
 */
import { noChange } from 'lit-html';
import { Directive, directive, type ElementPart } from 'lit-html/directive.js';

type Variables = Readonly<Record<`--${string}`, string | number>>;

class Vars extends Directive {
  readonly #set = new Map<string, string>();

  override update({ element }: ElementPart, [variables]: [Variables]): typeof noChange {
    for (const [name, value] of Object.entries(variables)) {
      const text = String(value);
      if (this.#set.get(name) === text) continue;
      this.#set.set(name, text);
      (element as HTMLElement).style.setProperty(name, text);
    }
    return noChange;
  }

  override render(_variables: Variables): typeof noChange {
    return noChange;
  }
}

export const vars = directive(Vars);
