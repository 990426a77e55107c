// grpc/reflection: lets grpcurl and its like discover and call the services without our proto files.
import { type DescService, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Server } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { protoPath } from "grpc-health-check";

export function addReflection(server: Server, services: readonly DescService[]): void {
  const files = new Map<string, Buffer>();
  const visit = (file: DescService["file"]) => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
    for (const dependency of file.dependencies) visit(dependency);
  };
  for (const service of services) visit(service.file);
  // The service reads no more of a package definition than its files; proto-loader would merge those of one package.
  const root = { files: { fileDescriptorProtos: [...files.values(), healthFile()] } } as unknown as PackageDefinition;
  new ReflectionService(root).addToServer(server);
}

/**
 * The file of the standard health service, which comes with every server. proto-loader names the hidden message of a map
 * otherwise than protoc does, and clients in Go refuse the file for it: the name is put right.
 */
function healthFile(): Buffer {
  const [bytes] = Object.values(loadSync(protoPath)).flatMap((each) =>
    "fileDescriptorProtos" in each ? (each.fileDescriptorProtos as Buffer[]) : [],
  );
  const file = fromBinary(FileDescriptorProtoSchema, bytes ?? new Uint8Array());
  for (const { field, nestedType } of file.messageType) {
    for (const entry of nestedType.filter(({ options, name }) => options?.mapEntry && !name.endsWith("Entry"))) {
      for (const each of field) if (each.typeName === entry.name) each.typeName += "Entry";
      entry.name += "Entry";
    }
  }
  return Buffer.from(toBinary(FileDescriptorProtoSchema, file));
}
