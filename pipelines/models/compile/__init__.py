"""Light models: the encoders of a model as ONNX graphs, which OpenVINO or ONNX Runtime runs, in fp32 or int8."""
