// SVG as text: elements, escaping, and how wide text is without a font to ask.

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Advance of one character as a share of the font size: exact for common monospace fonts, on the wide side for the others. */
const advance = { mono: 0.603, sans: 0.56 } as const;

/** One element; attribute values are escaped, undefined ones left out, children are SVG already. */
export function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  const written = Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [` ${key}="${attributeText(value)}"`]));
  return children.length === 0 ? `<${name}${written.join('')}/>` : `<${name}${written.join('')}>${children.join('')}</${name}>`;
}

/** A line of text at its baseline. */
export function label(content: string, attributes: Attributes): string {
  return element('text', attributes, [escapeXml(content)]);
}

/** Text for XML; characters that XML 1.0 cannot carry become the replacement character. */
export function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\u{fffd}')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Width in pixels that a text takes, rounded up. */
export function textWidth(text: string, size: number, font: keyof typeof advance): number {
  return Math.ceil([...text].length * size * advance[font]);
}

/** The text cut to at most `length` characters, the last one an ellipsis. */
export function shorten(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}

function attributeText(value: string | number): string {
  return escapeXml(typeof value === 'number' ? String(Math.round(value * 10) / 10) : value);
}
