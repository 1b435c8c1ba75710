// Colours and fonts of the picture of a mesh, for light and dark screens.

interface Theme {
  readonly ground: string;
  readonly card: string;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly hues: readonly string[];
}

const light: Theme = {
  ground: '#ffffff',
  card: '#ffffff',
  text: '#1f2328',
  muted: '#59636e',
  line: '#d1d9e0',
  hues: ['#2563eb', '#0f766e', '#b45309', '#7c3aed', '#be123c', '#4d7c0f'],
};

const dark: Theme = {
  ground: '#0d1117',
  card: '#151b23',
  text: '#e6edf3',
  muted: '#9198a1',
  line: '#3d444d',
  hues: ['#6ea8fe', '#2dd4bf', '#fbbf24', '#b197fc', '#fb7185', '#a3e635'],
};

/** Number of colours; clusters beyond it share them in turn. */
export const hueCount = light.hues.length;

const fonts = [
  'text{font-family:ui-sans-serif,-apple-system,"Segoe UI","Helvetica Neue",Arial,"DejaVu Sans",sans-serif;font-size:13px}',
  '.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12px}',
  '.title{font-size:22px;font-weight:600}.name{font-size:17px;font-weight:600}.small{font-size:11.5px}',
  '.box{fill-opacity:.06;stroke-opacity:.55;stroke-width:1.5}.pill{fill-opacity:.14}.chip{fill-opacity:.1}',
  '.frame{fill:none;stroke-width:1.5;stroke-dasharray:2 5;stroke-linecap:round}',
  '.arrow{fill:none;stroke-width:1.75}.dashed{stroke-dasharray:5 4}.head{stroke:none}',
];

/** The style sheet, self-contained: no variables and no outside font, because not every viewer of SVG knows them. */
export function topologyStyle(): string {
  return [...fonts, themeRules(light), `@media (prefers-color-scheme:dark){${themeRules(dark)}}`].join('');
}

function themeRules({ ground, card, text, muted, line, hues }: Theme): string {
  return [
    `.ground{fill:${ground}}.card{fill:${card};stroke:${line}}text{fill:${text}}.muted{fill:${muted}}`,
    `.frame{stroke:${muted}}.rule{stroke:${line}}.quiet{stroke:${muted}}.quiet-head{fill:${muted}}`,
    ...hues.map((hue, index) => `.f${index}{fill:${hue}}.s${index}{stroke:${hue}}`),
  ].join('');
}
