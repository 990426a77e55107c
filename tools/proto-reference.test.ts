import { create } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { protoReference } from "./proto-reference.ts";

const file = create(FileDescriptorProtoSchema, {
  name: "slipstream/v1/a.proto",
  service: [
    {
      name: "S",
      method: [{ name: "Link", inputType: ".slipstream.v1.M", outputType: ".slipstream.v1.M.N", serverStreaming: true }],
    },
  ],
  messageType: [
    {
      name: "M",
      field: [
        { name: "ids", number: 1, type: Type.UINT32, label: Label.REPEATED },
        { name: "labels", number: 2, type: Type.MESSAGE, label: Label.REPEATED, typeName: ".slipstream.v1.M.LabelsEntry" },
        { name: "seed", number: 3, type: Type.UINT64, proto3Optional: true, oneofIndex: 1 },
        { name: "n", number: 4, type: Type.MESSAGE, typeName: ".slipstream.v1.M.N", oneofIndex: 0 },
      ],
      oneofDecl: [{ name: "choice" }, { name: "_seed" }],
      nestedType: [
        {
          name: "LabelsEntry",
          options: { mapEntry: true },
          field: [
            { name: "key", number: 1, type: Type.STRING },
            { name: "value", number: 2, type: Type.BYTES },
          ],
        },
        { name: "N" },
      ],
    },
  ],
  enumType: [{ name: "E", value: [{ name: "E_UNSPECIFIED", number: 0 }] }],
  sourceCodeInfo: {
    location: [
      { path: [4, 0], leadingComments: " A message\n of two lines.\n" },
      { path: [4, 0, 2, 0], leadingComments: " First | second.\n" },
      { path: [6, 0, 2, 0], leadingComments: " Links.\n" },
    ],
  },
});

test("a page has services, messages with nested ones, and enums, with their comments", () => {
  const page = protoReference(file);
  expect(page).toContain("### `Link(M) → stream M.N`\n\nLinks.");
  expect(page).toContain("## M\n\nA message of two lines.");
  expect(page).toContain("| ids | 1 | repeated uint32 | First \\| second. |");
  expect(page).toContain("| labels | 2 | map<string, bytes> |  |");
  expect(page).toContain("| seed | 3 | optional uint64 |  |");
  expect(page).toContain("| n | 4 | M.N | one of `choice`. |");
  expect(page).toContain("## M.N\n");
  expect(page).not.toContain("LabelsEntry");
  expect(page).toContain("## E\n");
});
