// grpc/service: a generated service description as what grpc-js wants to serve and call it.
import { type DescMethod, type DescService, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";

// biome-ignore lint/suspicious/noExplicitAny: grpc-js wants one type for all methods of a service.
type Any = any;

export function methodDefinition(method: DescMethod): MethodDefinition<Any, Any> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
    responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
    requestSerialize: (message: MessageShape<typeof method.input>) => asBuffer(toBinary(method.input, message)),
    requestDeserialize: (data: Buffer) => fromBinary(method.input, data),
    responseSerialize: (message: MessageShape<typeof method.output>) => asBuffer(toBinary(method.output, message)),
    responseDeserialize: (data: Buffer) => fromBinary(method.output, data),
  };
}

/** The same bytes, which are nobody else's: a copy of each message would be work for the garbage collector. */
const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array) => Buffer.from(buffer, byteOffset, byteLength);

export function serviceDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, methodDefinition(method)]));
}
