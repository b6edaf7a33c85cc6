import fastifyStatic from '@fastify/static';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';

/** The built pages, as the service serves them. */
export interface Pages {
  /** Absolute path of their folder. */
  readonly folder: string;
  readonly files: readonly PageFile[];
}

export interface PageFile {
  /** Path of the URL. */
  readonly path: string;
  /** Name in the folder. */
  readonly file: string;
  /** Whether the content of the path never changes. */
  readonly lasting: boolean;
  /** The content to serve if the file on the disk has changed. */
  readonly html?: Buffer;
}

/** Only this service supplies content, and no text becomes script. */
const PAGE_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': PAGE_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
} as const;

/** One year, once the file was found: an error is not cached. */
const LASTING = { cacheControl: true, maxAge: 31_536_000_000, immutable: true } as const;

/** The path of a single page, or of the files in a folder. */
const FOLDER = /^(\/[a-z]+)\/[^/]+$/;

/** Serves each listed file, and no other file of the folder. */
export const pageRoutes =
  ({ folder, files }: Pages): FastifyPluginAsync =>
  async (scope) => {
    // Without ranges: a page is small, and the second of two partial requests may get another version.
    const options = { serve: false, preCompressed: true, cacheControl: false, acceptRanges: false };
    await scope.register(fastifyStatic, { root: folder, ...options });
    const byPath = new Map(files.map((file) => [file.path, file]));
    const urls = new Set(files.map(({ path }) => path.replace(FOLDER, '$1/:id')));
    for (const url of urls) {
      scope.route({
        method: 'GET',
        url,
        // An operator may need them during overload, and a page without its script is blank. They are files on the disk.
        config: { access: 'public', pressureHandler: () => undefined },
        handler: (request, reply) => {
          const { id } = request.params as { readonly id?: string };
          const page = byPath.get(id === undefined ? url : url.replace(':id', id));
          if (page === undefined) return reply.callNotFound();
          // Ignored, contrary to RFC 9110 13.1.1: the library answers them with a server error, and no client needs them for a page.
          for (const name of ['if-match', 'if-unmodified-since']) delete request.raw.headers[name];
          return send(page, reply);
        },
      });
    }
  };

/** The inspector as a single file is for the disk. It has its own policy, and this one would block its script. */
const DOWNLOAD = /^\/inspector\/[^/]+\.html$/;

function send({ path, file, lasting, html }: PageFile, reply: FastifyReply): FastifyReply {
  reply.headers(HEADERS);
  if (DOWNLOAD.test(path)) reply.header('content-disposition', 'attachment');
  if (html === undefined) return lasting ? reply.sendFile(file, LASTING) : reply.sendFile(file);
  return reply.type('text/html; charset=utf-8').send(html);
}
