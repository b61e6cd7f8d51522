import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

export type Certificate = {
  readonly certificatePem: string
  readonly privateKeyPem: string
  /** DER of its public key, by which peers know it. */
  readonly publicKey: Uint8Array
}

export type CertificateAuthority = {
  readonly certificatePem: string
  issue(name: string, use: 'server' | 'client'): Promise<Certificate>
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/**
 * Peers know each other by public key, and that is what ends a key's use: the date only has to lie
 * beyond the life of the data folder it belongs to.
 */
const years = 20

/**
 * An authority for the links of one cluster. Its private key exists in this object alone, so that
 * once the certificates are issued nobody can add another.
 */
export async function makeAuthority(cluster: string, now: Date): Promise<CertificateAuthority> {
  x509.cryptoProvider.set(webcrypto)
  const keys = await generateKeys()
  const validity = validityFrom(now)
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: serialNumber(),
    name: `CN=${cluster} links`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  })
  const issue = async (name: string, use: 'server' | 'client'): Promise<Certificate> => {
    const own = await generateKeys()
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity,
      serialNumber: serialNumber(),
      subject: `CN=${name}`,
      issuer: authority.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: extensionsFor(use),
    })
    return {
      certificatePem: certificate.toString('pem'),
      privateKeyPem: pemOf(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)),
      publicKey: new Uint8Array(certificate.publicKey.rawData),
    }
  }
  return { certificatePem: authority.toString('pem'), issue }
}

function extensionsFor(use: 'server' | 'client'): x509.Extension[] {
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage
  const names = new x509.SubjectAlternativeNameExtension([
    { type: 'ip', value: '127.0.0.1' },
    { type: 'dns', value: 'localhost' },
  ])
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([use === 'server' ? serverAuth : clientAuth]),
    ...(use === 'server' ? [names] : []),
  ]
}

function generateKeys() {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

function validityFrom(now: Date) {
  // A day of slack for clocks that are not quite right.
  const notBefore = new Date(now.getTime() - 86_400_000)
  const notAfter = new Date(notBefore)
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + years)
  return { notBefore, notAfter }
}

/** Positive and of at most 20 bytes: RFC 5280, section 4.1.2.2. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = 0x40 | (bytes.readUInt8(0) & 0x3f)
  return bytes.toString('hex')
}

function pemOf(der: ArrayBuffer): string {
  return x509.PemConverter.encode(der, 'PRIVATE KEY')
}
