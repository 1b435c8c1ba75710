// The package's own templates, compiled. The build fills this in; unbuilt, it is empty and templates are compiled when used.

/** What Handlebars makes of a template, by the SHA-256 of its text. */
export const precompiled: ReadonlyMap<string, TemplateSpecification> = new Map();

/** Handlebars.precompile's result, evaluated. */
export type TemplateSpecification = Readonly<Record<string, unknown>>;
