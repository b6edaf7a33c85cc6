import { createHash } from 'node:crypto';

interface PageFiles {
  readonly script: string;
  readonly style: string;
  readonly icon: string;
}

const HEAD = `<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>veritee inspector</title>`;

const BODY = `<div id="app">
<p>The page is loading. Where this stays, the rest of it could not be loaded: the service is too busy, was just replaced, or is not at the root of this address. Load it again.</p>
<noscript><p>This page needs JavaScript. The same is said by the command: veritee inspect FILE.</p></noscript>
</div>`;

/** The page as the service serves it. @param files their names */
export function inspectorPage({ script, style, icon }: PageFiles): string {
  return `<!doctype html>
<html lang="en">
<head>
${HEAD}
<link rel="icon" href="/inspector/${icon}">
<link rel="stylesheet" href="/inspector/${style}">
<script type="module" src="/inspector/${script}"></script>
</head>
<body>
${BODY}
</body>
</html>
`;
}

/** The same page as one file, for reading evidence without a service. It contacts no service. @param files their contents */
export function singlePage({ script, style, icon }: PageFiles): string {
  const code = script.replaceAll(/<(?=\/script|!--)/g, '\\x3c');
  const policy = [
    "default-src 'none'",
    `script-src '${digestOf(code)}'`,
    `style-src '${digestOf(style)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en" data-alone>
<head>
${HEAD}
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:image/svg+xml;base64,${Buffer.from(icon).toString('base64')}">
<style>${style}</style>
</head>
<body>
${BODY}
<script type="module">${code}</script>
</body>
</html>
`;
}

const digestOf = (content: string) => `sha256-${createHash('sha256').update(content).digest('base64')}`;
