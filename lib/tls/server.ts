// server: TLS for what listens. grpc-js and Node's HTTPS both take a new context for the handshakes to come; who must show a
// certificate is fixed when the port is opened.
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { SecureContextOptions } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import type { TlsMaterial } from "./material.ts";

export interface ServerTls {
  readonly value: TlsMaterial;
  watch(listener: (material: TlsMaterial) => void): void;
}

export interface TlsOffer {
  readonly tls: ServerTls;
  /** Clients must show a certificate of the material's authorities. */
  readonly mutual: boolean;
}

/** A server that asks for no certificate believes nobody's. */
function contextOf({ options }: TlsMaterial, mutual: boolean): SecureContextOptions {
  const { ca: _, ...rest } = options;
  return mutual ? options : rest;
}

class RenewedCredentials extends grpc.ServerCredentials {
  constructor({ tls, mutual }: TlsOffer) {
    super({ requestCert: mutual, rejectUnauthorized: mutual }, contextOf(tls.value, mutual));
    tls.watch((material) => this.updateSecureContextOptions(contextOf(material, mutual)));
  }

  _equals(other: grpc.ServerCredentials): boolean {
    return other === this;
  }
}

/** Without an offer: in the clear. */
export function grpcCredentials(offer: TlsOffer | undefined): grpc.ServerCredentials {
  return offer ? new RenewedCredentials(offer) : grpc.ServerCredentials.createInsecure();
}

/** The server that fastify is to use. */
export function httpServer(offer: TlsOffer | undefined, handler: RequestListener) {
  if (!offer) return createServer(handler);
  const { tls, mutual } = offer;
  const server = createSecureServer({ ...contextOf(tls.value, mutual), requestCert: mutual, rejectUnauthorized: mutual }, handler);
  tls.watch((material) => server.setSecureContext(contextOf(material, mutual)));
  return server;
}
