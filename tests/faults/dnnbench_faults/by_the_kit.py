"""Strangers' faults that a check of their case does not meet, and the law or case of the kit that
does.
"""

BY_THE_KIT = {
    ("jax", "a_third_program_starts_as_the_first"): "programs_do_not_share",
    ("numpy", "one_of_a_hundred_dropped_is_kept"): "masks_keep_their_share",
    ("numpy", "corrections_end_at_step_20"): "adam_of_many_steps",
    ("numpy", "steps_are_counted_in_a_byte"): "adam_of_many_steps",
    ("numpy", "one_gradient_of_97_is_late"): "gradients_repeat",
    ("numpy", "infer_is_in_float32_once_it_is_hot"): "inference_repeats",
    ("tensorflow", "the_seed_is_left_out"): "masks_are_drawn_as_they_are_meant",
    ("tensorflow", "every_50th_answer_is_the_one_before"): "inference_repeats",
    ("torch", "fewer_are_kept_than_the_rate_says"): "masks_keep_their_share",
    ("torch", "a_tenth_of_late_steps_see_an_old_batch"): "adam_of_many_steps",
    ("torch", "small_gradients_of_float16_are_0"): "gradients_of_small_size",
    ("torch", "statistics_are_in_bfloat16"): "layer_norm_of_far_inputs",
}
"""By backend and mode."""
