"""The hazards of ``docs/hazards.md`` by number: the tests that cover each.

A row that no test of this tree can cover yet says why, and which issue owns it.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
BOUNDARIES = "decompose/test_boundaries.py"
REPORTS = "decompose/test_bounds_and_reports.py"
TOLERANCE = "decompose/test_tolerance.py"
FACTORIZE = "arrays/test_factorize.py"
ROUTES = "cores/rounding/test_routes.py"
EXACT_GRADIENTS = "cores/test_gradients_exact.py"
DERIVED_GRADIENTS = "cores/test_gradients_derived.py"
TRAINS = "trains/test_exact.py"
DTYPES = "trains/test_dtypes.py"
RANGE = "trains/test_range_and_size.py"
ALIASING = "trains/test_aliasing.py"
VALUES = "algebra/test_hazards_values.py"
SIZES = "algebra/test_hazards_sizes.py"
NEIGHBOURS = "algebra/test_hazards_neighbours.py"
ARCHIVES = "storage/test_forged_archives.py"
HEADERS = "storage/test_forged_headers.py"
DAMAGE = "storage/test_damage.py"
ATOMIC = "storage/test_atomic.py"
INTERRUPTION = "trains/test_interruption.py"
PURITY = "algebra/test_purity.py"
PROCESSES = "storage/test_processes.py"
LONG = "algebra/test_long_trains.py"
REFUSALS = "trains/test_refusals.py"
NON_FINITE = "trains/test_non_finite.py"
FIT = "learning/test_fit.py"
CHECKPOINTS = "learning/test_checkpoints.py"
SURVIVAL = "learning/test_survival.py"
DASK = "interop/dask/test_same_bits.py"
CONTRACT = "arrays/test_contract.py"
UNITS = "cli/test_train_units.py"
THREADS = "cores/sweep/test_threads.py"

COVERED = {
    1: [
        (BOUNDARIES, "test_tail_equal_to_the_threshold"),
        (BOUNDARIES, "test_both_sides_of_every_threshold"),
    ],
    2: [
        (BOUNDARIES, "test_norms_whose_squares_leave_the_range"),
        (BOUNDARIES, "test_powers_of_two_change_no_bit_and_no_rank"),
    ],
    3: [(BOUNDARIES, "test_a_value_far_below_the_first")],
    4: [(BOUNDARIES, "test_many_values_each_below_tol")],
    5: [(BOUNDARIES, "test_a_tail_at_each_of_four_bonds")],
    6: [(TOLERANCE, "test_round"), (REPORTS, "test_unknown_keywords_are_refused")],
    7: [
        (REPORTS, "test_the_bound_wins_over_tol"),
        (REPORTS, "test_strict_raises_instead"),
        (REPORTS, "test_bound_without_tol_warns_nobody"),
    ],
    8: [(BOUNDARIES, "test_zero_block"), (BOUNDARIES, "test_rank_one_is_the_least")],
    9: [
        (TOLERANCE, "test_two_modes_need_the_minimal_rank"),
        (TOLERANCE, "test_from_dense"),
    ],
    10: [(BOUNDARIES, "test_gauge_is_made_not_trusted")],
    11: [(BOUNDARIES, "test_tiny_is_not_zero")],
    12: [
        (BOUNDARIES, "test_direct_sum_with_a_zero_or_a_parallel_part_loses_nothing"),
    ],
    13: [
        (BOUNDARIES, "test_ranks_above_the_possible_maximum"),
        (EXACT_GRADIENTS, "test_over_ranked"),
    ],
    14: [
        (REPORTS, "test_error_is_what_the_singular_values_say"),
        (TOLERANCE, "test_round_of_a_cancelling_sum"),
    ],
    15: [
        (ROUTES, "test_no_route_goes_below_its_floor"),
        ("cores/rounding/test_certificates.py", "test_floors_cover_roundoff"),
    ],
    16: [
        (ROUTES, "test_a_seed_repeats_what_was_drawn"),
        ("cores/rounding/test_silent_misses.py", "test_rounding"),
    ],
    17: [(VALUES, "test_zero_in_any_operation"), (BOUNDARIES, "test_zeros")],
    18: [(VALUES, "test_the_root_of_a_dot_is_no_norm")],
    19: [("trains/test_laws.py", "test_norm")],
    20: [
        (VALUES, "test_rounding_what_is_left_of_a_train_minus_itself"),
        (VALUES, "test_an_absolute_tolerance_drops_the_noise"),
    ],
    21: [
        (TRAINS, "test_subtraction_of_a_multiple_in_another_gauge"),
        ("algebra/test_same.py", "test_gauges_change_nothing"),
    ],
    22: [
        (RANGE, "test_norm_of_googols_of_ones"),
        (RANGE, "test_ten_thousand_cores"),
        (LONG, "test_values_far_outside_floats"),
    ],
    23: [("test_architecture.py", "test_nothing_forbidden_is_called")],
    24: [
        (VALUES, "test_true_norms_without_a_float"),
        ("algebra/test_normalize.py", "test_a_norm_of_ten_to_the_minus_500"),
        (RANGE, "test_true_out_of_range"),
    ],
    25: [(VALUES, "test_comparing_nothing_is_no_success")],
    26: [
        (NON_FINITE, "test_non_finite_arrays_are_refused_by_place"),
        (FACTORIZE, "test_non_finite_never_reaches_lapack"),
    ],
    27: [
        (NON_FINITE, "test_first_bad_core_is_named"),
        (NON_FINITE, "test_non_finite_samples_stay_in_their_row"),
    ],
    28: [
        (FACTORIZE, "test_fallbacks_are_as_right_as_the_first"),
        (FACTORIZE, "test_a_fallback_gets_a_fresh_matrix"),
        (FACTORIZE, "test_all_fail"),
    ],
    29: [(FACTORIZE, "test_a_wrong_fallback_is_caught")],
    30: [
        (FACTORIZE, "test_size_limit_guards_every_door"),
        (FACTORIZE, "test_the_limit_is_that_of_32_bit_lapack"),
    ],
    31: [(FACTORIZE, "test_a_device_that_fails_is_repeated_on_the_host")],
    32: [(CONTRACT, "test_integers_of_13_bits_are_exact_in_single_precision")],
    33: [
        ("algebra/test_repeatability.py", "test_threads_share_trains"),
        (NEIGHBOURS, "test_configuration_is_told"),
    ],
    34: [
        (TRAINS, "test_dot_conjugates_the_first"),
        (TRAINS, "test_transpose_is_not_adjoint"),
        ("algebra/test_entrywise.py", "test_exact_on_integers"),
        ("algebra/test_closing.py", "test_exact_on_integers"),
    ],
    35: [(TRAINS, "test_complex_dtype_with_zero_imaginary_part_stays_complex")],
    36: [
        (DTYPES, "test_pairs_promote_as_arrays_do"),
        (DTYPES, "test_numbers_never_promote"),
        (PURITY, "test_cores_of_results_are_read_only_and_keep_their_dtype"),
    ],
    37: [
        (DTYPES, "test_int8_is_never_cut_to_integers_or_float32"),
        (DTYPES, "test_integers_and_bools_become_float64"),
    ],
    38: [
        (DTYPES, "test_what_is_no_number_scales_nothing"),
        (DTYPES, "test_zero_dimensional_arrays_are_numbers"),
    ],
    39: [
        (DTYPES, "test_other_kinds_are_refused_everywhere"),
        (DTYPES, "test_matrix_class_is_an_array"),
    ],
    40: [(NEIGHBOURS, "test_warnings_are_errors_and_the_oldest_numpy_is_said")],
    41: [(SIZES, "test_sizes_are_python_ints")],
    42: [(RANGE, "test_message_of_the_hazard_table")],
    43: [(SIZES, "test_more_modes_than_letters_and_axes")],
    44: [
        (TRAINS, "test_one_core_sums"),
        (PURITY, "test_short_trains"),
    ],
    45: [(SIZES, "test_modes_of_one_keep_their_place")],
    46: [(SIZES, "test_no_modes_of_zero_but_empty_batches")],
    47: [
        (REFUSALS, "test_trains_want_trains_of_the_same_modes"),
        ("algebra/test_refusals.py", "test_partners_of_other_modes"),
    ],
    48: [
        (RANGE, "test_time_is_linear_in_the_number_of_cores"),
        (LONG, "test_time_is_linear_in_the_number_of_cores"),
    ],
    49: [
        ("algebra/test_too_large.py", "test_refused_before_it_is_allocated"),
        ("algebra/test_cost.py", "test_ranks_and_bytes_of_trains"),
    ],
    50: [(SIZES, "test_wide_unfoldings_need_no_square_factor")],
    51: [
        (ALIASING, "test_caller_may_edit_the_cores_afterwards"),
        (ALIASING, "test_cores_are_read_only_and_fixed"),
    ],
    52: [
        (ALIASING, "test_results_share_no_writable_memory"),
        (PURITY, "test_results_share_no_writable_memory"),
    ],
    53: [
        (INTERRUPTION, "test_operands_survive_every_interruption"),
        (PURITY, "test_an_interruption_leaves_the_operands_whole"),
    ],
    54: [(ALIASING, "test_layout_of_cores"), (ALIASING, "test_layout_of_samples")],
    55: [(NEIGHBOURS, "test_linear_operator_has_its_own_adjoint_and_dtype")],
    56: [(DERIVED_GRADIENTS, "test_wirtinger")],
    57: [
        (EXACT_GRADIENTS, "test_batch_gradient_is_the_sum_over_samples"),
        (EXACT_GRADIENTS, "test_zero_core"),
        (EXACT_GRADIENTS, "test_one_core_object_at_two_sites"),
    ],
    58: [
        (DERIVED_GRADIENTS, "test_against_two_hundred_bits"),
        (DERIVED_GRADIENTS, "test_in_units_of_the_product_of_magnitudes"),
    ],
    59: [
        (ARCHIVES, "test_pickles_are_never_loaded"),
        (ARCHIVES, "test_the_pickles_would_have_worked"),
    ],
    60: [
        (HEADERS, "test_huge_shapes_are_refused_before_they_are_allocated"),
        (HEADERS, "test_impossible_sizes"),
    ],
    61: [
        (HEADERS, "test_dtypes_beyond_the_list"),
        (REFUSALS, "test_dtypes"),
    ],
    62: [
        (ARCHIVES, "test_a_zip_bomb_is_not_expanded"),
        (ARCHIVES, "test_members_that_overlap"),
        (HEADERS, "test_two_arrays_of_one_name"),
        (DAMAGE, "test_leading_and_trailing_bytes_are_refused"),
    ],
    63: [
        (DAMAGE, "test_every_bit_of_a_small_file_matters"),
        (DAMAGE, "test_every_truncation_is_refused"),
    ],
    64: [
        (PROCESSES, "test_a_killed_save_leaves_the_old_or_the_new_value"),
        (PROCESSES, "test_concurrent_writers_never_fail"),
        (
            ATOMIC,
            "test_data_reach_the_disk_before_the_name_and_the_name_before_the_end",
        ),
    ],
    65: [
        (ATOMIC, "test_a_full_disk_leaves_the_old_file"),
        (SURVIVAL, "test_a_full_disk_leaves_what_was_saved"),
        (ATOMIC, "test_an_error_at_any_call_leaves_old_or_new"),
    ],
    66: [
        (DAMAGE, "test_missing_is_not_damaged"),
        (CHECKPOINTS, "test_twenty_damaged_ones_are_refused_and_the_good_one_named"),
        (CHECKPOINTS, "test_missing_is_a_first_run"),
    ],
    67: [
        (HEADERS, "test_names_that_are_not_names"),
        ("cli/test_compress.py", "test_the_input_is_never_overwritten"),
    ],
    68: [
        (FIT, "test_data_that_are_not_finite_are_refused_by_epoch_and_batch"),
        (FIT, "test_loss_gradient_and_target_that_are_not_finite"),
        ("learning/test_skipping.py", "test_a_bad_batch_moves_no_bit"),
    ],
    69: [
        (FIT, "test_two_and_two_epochs_are_four"),
        (SURVIVAL, "test_killed_at_random_moments"),
        (CHECKPOINTS, "test_from_any_step_to_the_same_bits"),
    ],
    70: [(SURVIVAL, "test_signals_finish_the_step_and_save_once")],
    71: [
        (DASK, "test_any_number_of_workers"),
        (DASK, "test_a_worker_killed_in_the_middle"),
        (DASK, "test_a_block_that_kills_is_named"),
    ],
    72: [(NEIGHBOURS, "test_every_draw_of_the_tests_is_seeded")],
    73: [(FACTORIZE, "test_long_matrices_are_no_excuse")],
    74: [(BOUNDARIES, "test_long_modes_are_no_licence_to_cut")],
    75: [(RANGE, "test_rounding_near_the_end_of_the_range_is_right_or_refused")],
    76: [("arrays/test_moving.py", "test_jax_is_not_let_halve_the_digits")],
    77: [("decompose/test_ends.py", "test_what_one_pass_cannot_see_is_found")],
    78: [(BOUNDARIES, "test_long_modes_are_no_licence_to_cut")],
    79: [("learning/test_skipping.py", "test_a_state_that_would_overflow_is_refused")],
    80: [(CHECKPOINTS, "test_the_run_of_another_is_refused")],
    81: [
        (UNITS, "test_a_regression_does_not_depend_on_the_units_of_its_values"),
        (UNITS, "test_what_single_precision_cannot_hold_is_refused"),
    ],
    82: [
        (THREADS, "test_blas_gets_its_threads_back"),
        (THREADS, "test_the_bits_are_those_of_one_thread"),
    ],
}
ELSEWHERE: dict[int, str] = {}  # not built yet: why no test, and whose it is
PARTLY = {  # covered as far as it exists; the rest is owned by an issue
    25: "mutation testing is a nightly job, not a test: issue 3",
    31: "on a real GPU: issue 4, `--backends cupy`",
    32: "on a real GPU: issue 4, `--backends cupy`",
    40: "the oldest NumPy is a job of .ci, not a test: issue 3",
}
ROWS = range(1, 83)


@cache
def names_in(file):
    """The names of the test functions of a file, which pytest would collect."""
    path = ROOT / file
    assert path.exists(), f"{file} is gone"
    tree = ast.parse(path.read_text())
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("number", ROWS)
def test_hazard(number):
    """A row is covered by tests that exist, or says whose it is."""
    assert (number in COVERED) != (number in ELSEWHERE)
    if number in ELSEWHERE:
        assert "issue" in ELSEWHERE[number].lower()
        pytest.skip(f"hazard {number}: {ELSEWHERE[number]}")
    assert COVERED[number]
    for file, name in COVERED[number]:
        assert name in names_in(file), f"hazard {number}: {file}::{name} is gone"


def test_the_table_has_these_rows_and_no_others():
    assert sorted({*COVERED, *ELSEWHERE}) == list(ROWS)
    assert set(PARTLY) <= set(COVERED)
    assert all("issue" in reason for reason in PARTLY.values())


def test_covering_tests_are_not_switched_off():
    """None of them is marked skip or xfail."""
    for number, places in COVERED.items():
        for file, name in places:
            tree = ast.parse((ROOT / file).read_text())
            node = next(n for n in tree.body if getattr(n, "name", "") == name)
            marks = " ".join(map(ast.unparse, node.decorator_list))
            assert "xfail" not in marks, f"hazard {number}: {file}::{name}"
            assert "mark.skip" not in marks, f"hazard {number}: {file}::{name}"
