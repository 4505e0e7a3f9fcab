"""Reads configurations of Triton models with protobuf's own text-format parser, and prints them as JSON.

    text_format.py FILE...

Only the messages and fields that gpuplan writes are declared, by their names and numbers in `protobuf/model_config.proto` of
triton-inference-server/common (commit 83adf7c): any other field is refused, as is one that stands twice.
"""
import json
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory, text_format

Field = descriptor_pb2.FieldDescriptorProto
KINDS = {"string": Field.TYPE_STRING, "bool": Field.TYPE_BOOL, "int32": Field.TYPE_INT32, "uint32": Field.TYPE_UINT32, "uint64": Field.TYPE_UINT64}
MESSAGES = {
    "Resource": [("name", 1, "string"), ("global", 2, "bool"), ("count", 3, "uint32")],
    "ModelRateLimiter": [("resources", 1, "*Resource"), ("priority", 2, "uint32")],
    "ModelInstanceGroup": [
        ("name", 1, "string"), ("count", 2, "int32"), ("gpus", 3, "*int32"), ("kind", 4, "Kind"), ("rate_limiter", 6, "ModelRateLimiter"),
    ],
    "ModelDynamicBatching": [("preferred_batch_size", 1, "*int32"), ("max_queue_delay_microseconds", 2, "uint64")],
    "ModelConfig": [
        ("name", 1, "string"), ("platform", 2, "string"), ("max_batch_size", 4, "int32"), ("instance_group", 7, "*ModelInstanceGroup"),
        ("dynamic_batching", 11, "ModelDynamicBatching"), ("backend", 17, "string"),
    ],
}


def config_class():
    file = descriptor_pb2.FileDescriptorProto(name="model_config.proto", package="inference", syntax="proto3")
    kind = file.enum_type.add(name="Kind")
    for number, word in enumerate(["KIND_AUTO", "KIND_GPU", "KIND_CPU", "KIND_MODEL"]):
        kind.value.add(name=word, number=number)
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for label, number, of in fields:
            repeated, of = of.startswith("*"), of.lstrip("*")
            field = message.field.add(name=label, number=number, label=Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL)
            if of in KINDS:
                field.type = KINDS[of]
            else:
                field.type = Field.TYPE_ENUM if of == "Kind" else Field.TYPE_MESSAGE
                field.type_name = f".inference.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("inference.ModelConfig"))


def main(paths):
    config, found = config_class(), []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            read = text_format.Parse(file.read(), config())
        found.append(json_format.MessageToDict(read, preserving_proto_field_name=True))
    json.dump(found, sys.stdout)


main(sys.argv[1:])
