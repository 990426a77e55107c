// grpc/reflection: lets grpcurl and its like discover and call the services without our proto files.
import type { Server } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";

/** `set` is an encoded google.protobuf.FileDescriptorSet. */
export function addReflection(server: Server, set: Uint8Array): void {
  new ReflectionService(loadFileDescriptorSetFromBuffer(Buffer.from(set))).addToServer(server);
}
