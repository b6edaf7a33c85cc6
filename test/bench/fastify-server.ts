import { type FastifyInstance, fastify } from 'fastify';

/** About as long as the answer to a token. */
const ANSWER = { decision: 'allow', filling: 'x'.repeat(9_000) };

/** The framework alone: it parses the body as JSON and answers as JSON, without schema, plugins or log. */
export class FastifyServer {
  readonly #application: FastifyInstance;

  private constructor(application: FastifyInstance) {
    this.#application = application;
  }

  static async start(): Promise<FastifyServer> {
    const application = fastify();
    application.post('/verify', async () => ANSWER);
    await application.listen({ host: '127.0.0.1', port: 0 });
    return new FastifyServer(application);
  }

  get url(): string {
    return this.#application.listeningOrigin;
  }

  close(): Promise<void> {
    return this.#application.close();
  }
}
