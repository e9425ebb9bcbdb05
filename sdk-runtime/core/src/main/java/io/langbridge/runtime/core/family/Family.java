package io.langbridge.runtime.core.family;

import java.util.Set;

/**
 * A layout in which whole models are published: how a folder is recognised, and what is in it. One class says all that
 * a family is: its networks, how it takes pictures, and how they enter the prompt.
 */
interface Family {
    /** What {@code architectures} or {@code model_type} of {@code config.json} says. */
    Set<String> names();

    /**
     * Describes a folder and opens its parts; what is opened goes into the checkpoint's closing.
     *
     * @throws io.langbridge.CheckpointException if a file is missing, damaged or does not fit the others
     * @throws io.langbridge.UnsupportedModelException if it is a variant that is not read
     */
    ModelFolder open(Checkpoint checkpoint);
}
