// Writes YAML that YAML 1.1 and 1.2 readers take the same way: a string stays bare only where no reader could take it for anything else.

/** Words that some reader takes for a boolean, null or a number. */
const reservedWords = /^(?:true|false|yes|no|on|off|y|n|null|nil|nan|inf|infinity|e[-+]?\d+)$/i;
/** Bare text: starts with a letter, digit, `_` or `/`, holds nothing that YAML gives a meaning to, and ends in no space or colon. */
const bareText = /^(?:[\w/]|\.{1,2}\/)(?:[\w ./@=+,()%<>~^*;$'"!?&|\\-]|:(?! ))*$/;
/** Text that starts with a digit is bare only as a dotted number of three parts or more, a path or CIDR, or a quantity. */
const bareDigits = /^(?:\d+\.\d+\.\d|\d+(?:%|[kKMGT]i?|[mshu])$|[^/]*\/)/;
/** Characters that readers do not take literally, line breaks of YAML 1.1 and U+FFFD among them. */
const unprintable = /(?![\t\n])[\p{Cc}\p{Surrogate}\u2028\u2029\ufeff\ufffd-\uffff]/gu;
const longestKey = 1000;

/**
 * Writes one value as YAML in block style; keys keep their order, lines are never folded, there are no anchors.
 * Takes what JSON takes; a key whose value is undefined is left out.
 */
export function toYaml(value: unknown): string {
  return isFilled(value) ? collection(value, '') : `${scalar(value, undefined)}\n`;
}

/** A list of flat objects as YAML with each on a line of its own: `- {dst: 10.1.0.0/26, via: 10.0.0.5}`. */
export function toYamlRows(items: readonly Readonly<Record<string, unknown>>[]): string {
  return items
    .map(
      (item) =>
        `- {${entriesOf(item)
          .map(([key, value]) => `${flowText(key)}: ${flowText(value)}`)
          .join(', ')}}\n`,
    )
    .join('');
}

/** Several documents as one stream, separated by `---`. */
export function toYamlStream(values: readonly unknown[]): string {
  return values.map(toYaml).join('---\n');
}

type Collection = readonly unknown[] | Readonly<Record<string, unknown>>;

function isFilled(value: unknown): value is Collection {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) ? value.length > 0 : entriesOf(value).length > 0;
}

function entriesOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, child]) => child !== undefined);
}

function collection(value: Collection, indent: string): string {
  if (Array.isArray(value)) return value.map((item) => `${indent}- ${listItem(item, `${indent}  `)}`).join('');
  return entriesOf(value)
    .map(([key, child]) => `${indent}${keyText(key, indent)}:${mapValue(child, `${indent}  `)}`)
    .join('');
}

function listItem(value: unknown, indent: string): string {
  return isFilled(value) ? collection(value, indent).slice(indent.length) : `${scalar(value, indent)}\n`;
}

function mapValue(value: unknown, indent: string): string {
  return isFilled(value) ? `\n${collection(value, indent)}` : ` ${scalar(value, indent)}\n`;
}

function keyText(key: string, indent: string): string {
  const text = oneLine(key);
  return text.length > longestKey ? `? ${text}\n${indent}` : text;
}

function scalar(value: unknown, indent: string | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return indent !== undefined && isLiteral(value) ? literal(value, indent) : oneLine(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'object') return Array.isArray(value) ? '[]' : '{}';
  throw new TypeError(`cannot write a ${typeof value} as YAML`);
}

/** Inside braces a comma ends a value. */
function flowText(value: unknown): string {
  return typeof value === 'string' && value.includes(',') ? JSON.stringify(value) : scalar(value, undefined);
}

/** YAML 1.1 knows an exponent only after a point. */
function numberText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return String(value).replace(/^(-?\d+)e/, '$1.0e');
}

function oneLine(text: string): string {
  if (isBare(text)) return text;
  return JSON.stringify(text).replaceAll(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function isBare(text: string): boolean {
  if (!bareText.test(text) || /[ :]$/.test(text) || reservedWords.test(text)) return false;
  return !/^\d/.test(text) || bareDigits.test(text);
}

/** Several lines that a literal block carries unchanged: no blank start, no line of only spaces, nothing unprintable. */
function isLiteral(text: string): boolean {
  return text.includes('\n') && /^\S/.test(text) && !/^[ \t]+$/m.test(text) && text.search(unprintable) < 0;
}

function literal(text: string, indent: string): string {
  const body = text.replace(/\n+$/, '');
  const breaks = text.length - body.length;
  const chomping = breaks === 0 ? '-' : breaks === 1 ? '' : '+';
  const lines = body.split('\n').map((line) => (line === '' ? '' : `${indent}${line}`));
  return `|${chomping}\n${lines.join('\n')}${'\n'.repeat(Math.max(breaks - 1, 0))}`;
}
