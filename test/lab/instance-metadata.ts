import { jsonAnswer, type LabAnswer, type LabRequest, LabServer, type LabServerOptions } from './lab-server.js';
import { pemOf } from './pki.js';
import type { SnpPlatform } from './snp-platform.js';

/** The data that an Azure host gives its guest. */
export interface InstanceMetadataOptions extends LabServerOptions {
  /** The server whose certificates are given out; none if left out. */
  readonly snp?: Pick<SnpPlatform, 'vek' | 'chain'>;
  /** Makes the quote of a TDREPORT; none if left out. */
  readonly tdQuote?: (tdReport: Uint8Array) => Uint8Array;
}

/** The instance metadata service of Azure on loopback, as far as attestation needs it. */
export class LabInstanceMetadata extends LabServer {
  readonly #options: InstanceMetadataOptions;

  private constructor(options: InstanceMetadataOptions) {
    super(options, 'http');
    this.#options = options;
  }

  static async start(options: InstanceMetadataOptions = {}): Promise<LabInstanceMetadata> {
    const metadata = new LabInstanceMetadata(options);
    await metadata.listen();
    return metadata;
  }

  protected override respond({ method, url, headers, body }: LabRequest): LabAnswer {
    const { snp, tdQuote } = this.#options;
    if (method === 'GET' && url === '/metadata/THIM/amd/certification' && snp !== undefined) {
      // A page of the guest's cannot make its browser send this header.
      if (headers['metadata'] !== 'true') return { status: 400, contentType: 'text/plain', body: 'no metadata header' };
      return jsonAnswer({
        vcekCert: pemOf(snp.vek.der),
        tcbm: 'DB18000000000004',
        certificateChain: snp.chain,
        cacheControl: '86400',
      });
    }
    if (method === 'POST' && url === '/acc/tdquote' && tdQuote !== undefined) {
      const quote = tdQuote(Buffer.from(JSON.parse(body).report, 'base64url'));
      return jsonAnswer({ quote: Buffer.from(quote).toString('base64url') });
    }
    return { status: 404, contentType: 'text/plain', body: 'not found' };
  }
}
