import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** Something that an expression asks Prometheus for. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

/** The labels that each series of a name has; undefined where there is no such series. */
export type Known = (series: string, job?: string) => ReadonlySet<string> | undefined;

/** What there is to say against an expression, and what it gives. */
export interface Reading {
  readonly faults: readonly string[];
  readonly selectors: readonly Selector[];
  /** How far back it looks, each time that it does. */
  readonly ranges: readonly string[];
  /** Labels that its result may have. */
  readonly labels: ReadonlySet<string>;
}

/** Reads PromQL by Prometheus' own grammar, and follows labels from the series through aggregations and functions. */
export function readPromql(text: string, known: Known): Reading {
  const tree = parser.parse(text).topNode;
  const faults = brokenAt(tree, text);
  const reader = new Reader(text, known);
  const labels = faults.length === 0 ? reader.labels(tree) : new Set<string>();
  return { faults: [...faults, ...reader.faults], selectors: reader.selectors, ranges: reader.ranges, labels };
}

function brokenAt(tree: SyntaxNode, text: string): string[] {
  const faults: string[] = [];
  tree.cursor().iterate(({ type, from }) => {
    if (type.isError) faults.push(`no PromQL at ${from}: ${text.slice(from, from + 30)}`);
  });
  return faults;
}

/** Goes over the tree of one expression, and notes what it meets. */
class Reader {
  readonly faults: string[] = [];
  readonly selectors: Selector[] = [];
  readonly ranges: string[] = [];
  readonly #text: string;
  readonly #known: Known;

  constructor(text: string, known: Known) {
    this.#text = text;
    this.#known = known;
  }

  /** The labels of what an expression gives. */
  labels(node: SyntaxNode): ReadonlySet<string> {
    switch (node.name) {
      case 'VectorSelector':
        return this.#selected(node);
      case 'AggregateExpr':
        return this.#aggregated(node);
      case 'FunctionCall':
        return this.#called(node);
      case 'BinaryExpr':
        return this.#joined(node);
      case 'MatrixSelector':
      case 'SubqueryExpr':
        this.ranges.push(this.#part(node, 'DurationExpr'));
        return this.#below(node);
      default:
        return this.#below(node);
    }
  }

  #below(node: SyntaxNode): ReadonlySet<string> {
    return union(childrenOf(node).map((child) => this.labels(child)));
  }

  #selected(node: SyntaxNode): ReadonlySet<string> {
    const matchers = (node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []).map((matcher) => ({
      label: this.#part(matcher, 'LabelName'),
      operator: this.#part(matcher, 'MatchOp'),
      value: this.#part(matcher, 'StringLiteral').slice(1, -1),
    }));
    const metric = this.#part(node, 'Identifier');
    this.selectors.push({ metric, matchers });
    const job = matchers.find(({ label, operator }) => label === 'job' && operator === '=')?.value;
    const labels = this.#known(metric, job);
    if (labels === undefined) {
      this.faults.push(`nobody has ${metric}${job === undefined ? '' : ` in the job ${job}`}`);
      return new Set();
    }
    for (const { label } of matchers) this.#needs(labels, label, metric);
    return labels;
  }

  #aggregated(node: SyntaxNode): ReadonlySet<string> {
    const body = node.getChild('FunctionCallBody');
    const inner = body === null ? new Set<string>() : this.labels(body);
    const operation = this.#part(node, 'AggregateOp');
    if (operation === 'topk' || operation === 'bottomk') return inner;
    const modifier = node.getChild('AggregateModifier');
    if (modifier === null) return new Set();
    const named = this.#grouping(modifier);
    for (const label of named) this.#needs(inner, label, this.#textOf(node));
    return modifier.getChild('By') === null ? without(inner, named) : new Set(named);
  }

  #called(node: SyntaxNode): ReadonlySet<string> {
    const name = this.#part(node, 'FunctionIdentifier');
    const body = node.getChild('FunctionCallBody');
    if (body === null) return new Set();
    const inner = this.#below(body);
    const texts = body.getChildren('StringLiteral').map((it) => this.#textOf(it).slice(1, -1));
    switch (name) {
      case 'label_replace':
        this.#needs(inner, texts[2] ?? '', 'label_replace');
        return new Set([...inner, texts[0] ?? '']);
      case 'histogram_quantile':
        this.#needs(inner, 'le', name);
        return without(inner, ['le']);
      case 'scalar':
      case 'vector':
      case 'time':
        return new Set();
      default:
        return inner;
    }
  }

  #joined(node: SyntaxNode): ReadonlySet<string> {
    const [left, right] = childrenOf(node).filter(({ name }) => isOperand(name));
    const [of, other] = [left ? this.labels(left) : new Set<string>(), right ? this.labels(right) : new Set<string>()];
    const matching = node.getChild('MatchingModifierClause');
    const [named = [], taken = []] = (matching?.getChildren('GroupingLabels') ?? []).map((it) => this.#names(it));
    for (const label of named) {
      this.#needs(of, label, 'the left side');
      this.#needs(other, label, 'the right side');
    }
    if (node.getChild('Or') !== null) {
      // Labels differ, so both are there, and a line at 0 lies below the others for ever.
      if (of.size > 0 && right && this.#part(right, 'FunctionIdentifier') === 'vector') {
        this.faults.push(`${this.#textOf(right)} is there beside what has labels`);
      }
      return union([of, other]);
    }
    if (matching?.getChild('GroupRight')) return new Set([...other, ...taken]);
    if (matching?.getChild('GroupLeft')) return new Set([...of, ...taken]);
    if (node.getChild('And') !== null || node.getChild('Unless') !== null || isComparison(node)) return of;
    if (matching?.getChild('On')) return new Set(named);
    if (matching?.getChild('Ignoring')) return without(of, named);
    return left && isNumber(left) ? other : of;
  }

  #needs(labels: ReadonlySet<string>, label: string, where: string): void {
    if (!labels.has(label)) this.faults.push(`${where} has no label ${label}`);
  }

  #grouping(modifier: SyntaxNode): readonly string[] {
    const names = modifier.getChild('GroupingLabels');
    return names === null ? [] : this.#names(names);
  }

  #names = (node: SyntaxNode) => node.getChildren('LabelName').map((it) => this.#textOf(it));
  #part = (node: SyntaxNode, name: string) => this.#textOf(node.getChild(name) ?? undefined);
  #textOf = (node: SyntaxNode | undefined) => (node === undefined ? '' : this.#text.slice(node.from, node.to));
}

const operands = ['Expr', 'Selector', 'Call', 'Literal'];
const isOperand = (name: string) => operands.some((end) => name.endsWith(end)) || name === 'NumberDurationLiteral';
const isNumber = ({ name }: SyntaxNode) => name.startsWith('NumberDurationLiteral');
const isComparison = (node: SyntaxNode) =>
  ['Eql', 'Neq', 'Gtr', 'Lss', 'Gte', 'Lte'].some((name) => node.getChild(name) !== null);

function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found;
}

function union(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set(sets.flatMap((set) => [...set]));
}

function without(labels: ReadonlySet<string>, names: readonly string[]): ReadonlySet<string> {
  return new Set([...labels].filter((label) => !names.includes(label)));
}
