"""The figures that the lab promises, measured on anybody's machine: `gui-lab bench`.

Each way of training is a process of its own, so that none helps or hurts another: the window that a person sees
(`live`), our loop without a window and the bare computation (`ours`), and a script as the PyTorch tutorials write it
(`tutorial`). `bench` asks them in turns and compares what was measured side by side.
"""
