// grpc/reflection: lets grpcurl and its like discover and call the services without our proto files.
import { type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Server } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { protoPath } from "grpc-health-check";

/** The standard health service comes with every server, so reflection tells of it as well. */
const healthFiles = Object.values(loadSync(protoPath)).flatMap((each) =>
  "fileDescriptorProtos" in each ? each.fileDescriptorProtos : [],
);

export function addReflection(server: Server, services: readonly DescService[]): void {
  const files = new Map<string, Buffer>();
  const visit = (file: DescService["file"]) => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
    for (const dependency of file.dependencies) visit(dependency);
  };
  for (const service of services) visit(service.file);
  // The service reads no more of a package definition than its files; proto-loader would merge those of one package.
  const root = { files: { fileDescriptorProtos: [...files.values(), ...healthFiles.slice(0, 1)] } } as unknown as PackageDefinition;
  new ReflectionService(root).addToServer(server);
}
