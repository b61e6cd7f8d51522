import type { Cluster, SignerFolder } from './provision.ts'

type Environment = Record<string, string>

type ServerFacts = {
  readonly port: number
  readonly linkPort: number
  readonly databaseUrl: string
  readonly nodesFile: string
  readonly mailFile: string
  readonly publicUrl: string
  /** Keys that are born ahead of need. */
  readonly keyPool: number
}

/** The server's whole environment. */
export function serverEnvironment(cluster: Cluster, facts: ServerFacts): Environment {
  const { server } = cluster
  return {
    SERVER_PORT: String(facts.port),
    SERVER_LINK_PORT: String(facts.linkPort),
    SERVER_DATABASE_URL: facts.databaseUrl,
    SERVER_MANIFEST_FILE: cluster.manifestFile,
    SERVER_TLS_KEY_FILE: server.tlsKeyFile,
    SERVER_TLS_CERT_FILE: server.tlsCertFile,
    SERVER_TLS_CA_FILE: cluster.caFile,
    SERVER_TOKEN_KEY_FILE: server.tokenKeyFile,
    SERVER_SETUP_TOKEN_FILE: server.setupTokenFile,
    SERVER_NODES_FILE: facts.nodesFile,
    SERVER_MAIL_FILE: facts.mailFile,
    SERVER_PUBLIC_URL: facts.publicUrl,
    SERVER_KEY_POOL: String(facts.keyPool),
    // On a developer's machine receivers are on that machine.
    SERVER_WEBHOOK_NETWORKS: '127.0.0.0/8,::1/128',
  }
}

/** A signer's whole environment: nothing in it leads to another signer, or to the database. */
export function signerEnvironment(
  cluster: Cluster,
  signer: SignerFolder,
  linkPort: number,
): Environment {
  return {
    SIGNER_ID: signer.id,
    SIGNER_STORE_FILE: signer.storeFile,
    SIGNER_KEK_FILE: signer.kekFile,
    SIGNER_IDENTITY_FILE: signer.identityFile,
    SIGNER_MANIFEST_FILE: cluster.manifestFile,
    SIGNER_MANIFEST_HASH: cluster.manifestHash,
    SIGNER_SERVER_URL: `https://127.0.0.1:${linkPort}`,
    SIGNER_TLS_KEY_FILE: signer.tlsKeyFile,
    SIGNER_TLS_CERT_FILE: signer.tlsCertFile,
    SIGNER_TLS_CA_FILE: cluster.caFile,
  }
}
