# SPDX-License-Identifier: MIT
"""The proof of the suite from outside, in a build that has no mutants."""

from __future__ import annotations


def test_a_build_without_mutants_proves_nothing(conform):
    outcome = conform("selftest", "--mutants", reports=False)
    assert outcome.status == 3
    assert "preset mutants" in outcome.stderr
    assert "killed" not in outcome.stdout


def test_the_matrix_needs_mutants_as_well(conform):
    assert conform("selftest", "--matrix", reports=False).status == 3


def test_a_mutant_that_does_not_exist_is_wrong_usage(conform):
    outcome = conform("selftest", "--mutants", "acks_wrong_batch", "nonsense", reports=False)
    assert outcome.status == 64
    assert "no such mutant: nonsense" in outcome.stderr


def test_a_bug_of_the_client_library_is_no_mutant_of_the_mock(conform):
    outcome = conform("selftest", "--mutants", "never_gives_up", reports=False)
    assert outcome.status == 64
    assert "never_gives_up" in outcome.stderr


def test_names_without_the_option_are_wrong_usage(conform):
    outcome = conform("selftest", "acks_wrong_batch", reports=False)
    assert outcome.status == 64
    assert "acks_wrong_batch" in outcome.stderr
