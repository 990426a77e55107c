// proto-reference: one file of a descriptor set with source info in, its reference page in Markdown out. Pure; what it
// writes are the comments of the .proto file.

import { isFieldSet } from "@bufbuild/protobuf";
import type { DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { FieldDescriptorProto_Label, FieldDescriptorProto_Type, FieldDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** Field numbers of descriptor.proto: how source info names the place of a comment. */
const place = {
  message: 4,
  enum: 5,
  service: 6,
  method: 2,
  field: 2,
  nestedMessage: 3,
  nestedEnum: 4,
  enumValue: 2,
  syntax: 12,
} as const;

type Comments = (...path: number[]) => string;

export function protoReference(file: FileDescriptorProto): string {
  const comments = commentsOf(file);
  const name = file.name.split("/").at(-1);
  const head = [`# ${name}`, "Generated from the contract by `npm run generate`; do not edit.", comments(place.syntax)].filter(
    Boolean,
  );
  const services = file.service.map((service, at) => {
    const methods = service.method.map((method, index) => {
      const [from, to] = [method.clientStreaming, method.serverStreaming].map((stream) => (stream ? "stream " : ""));
      const signature = `${method.name}(${from}${short(method.inputType)}) → ${to}${short(method.outputType)}`;
      return `### \`${signature}\`\n\n${comments(place.service, at, place.method, index)}`;
    });
    return [`## Service ${service.name}`, comments(place.service, at), ...methods].filter(Boolean).join("\n\n");
  });
  const messages = file.messageType.flatMap((message, at) => messageSections(message, message.name, [place.message, at], comments));
  const enums = file.enumType.map((each, at) => enumSection(each, each.name, [place.enum, at], comments));
  return `${[...head, ...services, ...messages, ...enums].join("\n\n")}\n`;
}

function messageSections(message: DescriptorProto, name: string, path: number[], comments: Comments): string[] {
  const rows = message.field.map((field, index) => {
    const choice = inChoice(field) ? message.oneofDecl[field.oneofIndex]?.name : undefined;
    const meaning = comments(...path, place.field, index);
    return [
      field.name,
      String(field.number),
      type(field, message),
      [choice ? `one of \`${choice}\`.` : "", meaning].join(" ").trim(),
    ];
  });
  const section = [
    `## ${name}`,
    comments(...path),
    rows.length > 0 ? table(["field", "number", "type", "meaning"], rows) : "No fields.",
  ];
  const nested = message.nestedType.flatMap((each, index) =>
    each.options?.mapEntry ? [] : messageSections(each, `${name}.${each.name}`, [...path, place.nestedMessage, index], comments),
  );
  const enums = message.enumType.map((each, index) =>
    enumSection(each, `${name}.${each.name}`, [...path, place.nestedEnum, index], comments),
  );
  return [section.filter(Boolean).join("\n\n"), ...nested, ...enums];
}

function enumSection(each: EnumDescriptorProto, name: string, path: number[], comments: Comments): string {
  const rows = each.value.map((value, index) => [value.name, String(value.number), comments(...path, place.enumValue, index)]);
  return [`## ${name}`, comments(...path), table(["value", "number", "meaning"], rows)].filter(Boolean).join("\n\n");
}

/** A oneof of one optional field is only how proto3 writes `optional`. */
function inChoice(field: FieldDescriptorProto): boolean {
  return isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex) && !field.proto3Optional;
}

function type(field: FieldDescriptorProto, message: DescriptorProto): string {
  const plain = field.typeName === "" ? FieldDescriptorProto_Type[field.type].toLowerCase() : short(field.typeName);
  const entry = message.nestedType.find((nested) => nested.options?.mapEntry && field.typeName.endsWith(`.${nested.name}`));
  const [key, value] = entry?.field ?? [];
  if (entry && key && value) return `map<${type(key, entry)}, ${type(value, entry)}>`;
  if (field.label === FieldDescriptorProto_Label.REPEATED) return `repeated ${plain}`;
  return field.proto3Optional ? `optional ${plain}` : plain;
}

/** Without the package: ".slipstream.v1.Status.Kind" → "Status.Kind". */
function short(typeName: string): string {
  return typeName.replace(/^\.?([a-z]\w*\.)*/, "");
}

function commentsOf(file: FileDescriptorProto): Comments {
  const byPath = new Map(file.sourceCodeInfo?.location.map((each) => [each.path.join(","), each]));
  return (...path) => {
    const found = byPath.get(path.join(","));
    const text = found?.leadingComments || found?.trailingComments || "";
    return text
      .split("\n")
      .map((line) => line.trim())
      .join(" ")
      .trim();
  };
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}
