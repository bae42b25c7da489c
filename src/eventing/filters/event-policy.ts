import type { SubscriptionsApiFilter } from '../../api/eventing/filter-spec.ts';
import type { EventLike } from '../../cloudevents/index.ts';
import { compileFilter, type Filter } from './compile-filter.ts';

/** Who may send which events: what an event policy comes to once its senders are resolved. */
export interface SenderRule {
  /** Subjects of tokens; a `*` at the end stands for anything. */
  readonly subjects: readonly string[];
  readonly filters?: readonly SubscriptionsApiFilter[] | undefined;
}

/** A compiled sender rule. */
export interface CompiledSenderRule {
  readonly subjects: readonly string[];
  readonly filter: Filter;
}

/** Compiles the filters of a rule. Throws as `compileFilter` does. */
export function compileSenderRule(rule: SenderRule): CompiledSenderRule {
  return { subjects: rule.subjects, filter: compileFilter({ filters: rule.filters }) };
}

/**
 * True when the rules let the subject send the event. The first rule with a matching subject decides: later ones are not tried. Whole
 * subjects compare without regard to case, those with `*` with regard to it.
 */
export function senderRulesAllow(rules: readonly CompiledSenderRule[], subject: string, event: EventLike): boolean {
  const lower = subject.toLowerCase();
  const rule = rules.find(({ subjects }) => subjects.some((pattern) => matchesSubject(pattern, subject, lower)));
  return rule?.filter.matches(event) ?? false;
}

function matchesSubject(pattern: string, subject: string, lower: string): boolean {
  return equalFold(pattern, subject, lower) || (pattern.endsWith('*') && subject.startsWith(pattern.slice(0, -1)));
}

// Go compares letter by letter, and letters outside ASCII may have more than two forms.
function equalFold(pattern: string, subject: string, lower: string): boolean {
  if (pattern.toLowerCase() === lower) return folded(pattern) === folded(subject);
  return pattern.length === subject.length && folded(pattern) === folded(subject);
}

const folded = (text: string): string =>
  /^[\x00-\x7f]*$/.test(text) ? text.toLowerCase() : Array.from(text, foldedLetter).join('');

function foldedLetter(letter: string): string {
  const upper = letter.toUpperCase();
  const single = upper.length === letter.length ? upper : letter;
  const lower = single.toLowerCase();
  return lower.length === single.length ? lower : single;
}

/** What holds where no policy applies: feature flag `default-authorization-mode`, in any case; unknown modes allow all. */
export type DefaultAuthorizationMode = 'Allow-All' | 'Deny-All' | 'Allow-Same-Namespace';

/** True when a subject may send an event to a resource of a namespace, by the rules that apply to it or else by the default mode. */
export function mayPublish(request: {
  readonly subject: string;
  readonly event: EventLike;
  /** Rules of all policies that apply to the resource. */
  readonly rules: readonly CompiledSenderRule[];
  readonly namespace: string;
  readonly defaultMode: string;
}): boolean {
  const { subject, event, rules, namespace, defaultMode } = request;
  if (rules.length > 0) return senderRulesAllow(rules, subject, event);
  const mode = defaultMode.toLowerCase();
  if (mode === 'deny-all') return false;
  return mode !== 'allow-same-namespace' || subject.startsWith(`system:serviceaccount:${namespace}:`);
}
