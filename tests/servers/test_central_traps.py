"""Each numbered point observed on a real Central that concerns a client, and the tests that hold us to it.

| point | what the server does | tests |
|---|---|---|
| 1 | without $top everything comes in one answer | test_central_page::test_many_rows_come_in_pieces |
| 2 | a next link names another host | test_interrupted_server::test_a_link_to_a_next_page_elsewhere_is_not_followed |
| 3 | $orderby and paging exclude each other | never asked for: test_central_page::test_a_first_part_is_not_taken_for_all |
| 4 | a purged cursor row ends paging in silence | test_central::test_a_wrong_count_is_not_believed_and_leaves_no_file |
| 5 | an answer cut short may look whole | test_interrupted_server::test_an_answer_cut_anywhere_brings_nothing_and_the_next_try_all |
| 6 | the count honours the filter | test_central_page::test_fewer_rows_than_announced_are_not_believed |
| 7 | sub-tables are slow, $expand=* is not | test_contract::test_a_submission_comes_back_once_with_every_answer_and_repeat |
| 8 | a repeat without iterations has no key | test_contract::test_a_repeat_without_iterations_gives_none |
| 9 | updatedAt is null until the first edit | test_contract::test_an_edit_is_told_by_the_cursor_or_by_the_sweep |
| 10 | a restoration touches no timestamp | test_rows::test_a_restored_submission_of_a_large_form_is_found_by_the_sweep |
| 11 | a late attachment changes nothing | test_attachments::test_a_late_file_is_found_by_a_sweep |
| 12 | the ETag is that of the selected rows | test_central_rows::test_a_large_window_moves_on_and_a_small_one_stays |
| 13 | rows show late, behind rows already seen | test_central::test_a_row_that_shows_late_is_not_lost |
| 14 | a review that changes nothing bumps updatedAt | test_raw::test_an_update_that_changes_nothing_adds_nothing |
| 15 | the identifier is the first instance's for ever | test_contract::test_an_edit_keeps_the_submission_id |
| 16 | a stale edit is refused | test_central::test_a_review_is_pulled, test_central_complete::test_an_edit_says_the_version_it_was_made_with |
| 17 | a resend is harmless, other answers are refused | test_contract::test_other_answers_under_a_known_id_are_refused |
| 18 | an identifier may be any text | test_central_rows::test_an_identifier_with_a_quote_is_fetched_among_all |
| 19 | every row has the newest version's fields | test_central_complete::test_a_dropped_question_keeps_its_old_answers |
| 20 | what does not fit its type is null or cut | test_every_type::test_a_number_that_is_none_is_what_odata_makes_of_it |
| 21 | warnings stop a draft | test_central_forms::test_a_question_dropped_or_moved_does_not_stop_a_deployment |
| 22 | a version is published once | test_central_forms::test_going_back_to_a_former_version_publishes_it_once_more |
| 23 | lists are linked by name where they exist | test_central_forms::test_files_are_uploaded_and_entity_lists_left_to_central |
| 24 | a front end's page answers 200 | test_central_api::test_a_front_end_page_in_the_place_of_the_api_is_recognised |
| 25 | a 500 may come each time | test_http::test_a_stumble_is_not_repeated_at_once_and_only_reading_may_be_tried_later |
| 26 | sessions end, cookies come back | test_central_api::test_a_session_that_ends_in_mid_work_is_renewed_once |
| 27 | a phone's token is in its address | test_central_access::test_a_phone_receives_the_cases_of_its_own_office_only |
| 28 | files have a strong md5 and no ranges | test_central_files::test_a_file_that_cannot_be_believed_leaves_nothing |
| 29 | the export mixes files of one name | test_central_sealed_files::test_a_passphrase_opens_the_files_of_each_submission_apart |
| 30 | encrypted rows say nothing | test_central_sealed::test_a_private_key_opens_what_was_encrypted_for_it |
| 31 | entities want versions, text and our own UUID | test_central_lists::test_a_row_that_comes_later_is_added_and_those_that_live_are_left_alone |
| 32 | unknown attributes are taken in silence | no attribute is ever invented: test_central::test_a_review_is_pulled |
| 33 | formVersion is the first instance's | test_central_complete::test_an_edit_says_the_version_it_was_made_with |
| 34 | names are joined, long numbers rounded | test_central_complete::test_a_number_of_many_digits_is_not_rounded |
| 35 | more rows than the count is no truncation | test_central_page::test_more_rows_than_announced_arrived_in_the_meantime |
| 36 | drops and renames are whole only in the XML | test_central_complete::test_a_name_that_odata_would_rewrite_is_kept |
"""  # noqa: E501 - a row is a line

import re
from pathlib import Path

_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_TEST = re.compile(r"\b(test_\w+)::(test_\w+)")
_POINTS = 36


def test_every_point_has_a_test_that_exists() -> None:
    rows = _ROW.findall(__doc__ or "")
    assert [int(number) for number, _, _ in rows] == [*range(1, _POINTS + 1)]
    for number, _, tests in rows:
        named = _TEST.findall(tests)
        assert named, number
        for module, test in named:
            files = Path(__file__).parents[1].rglob(f"{module}.py")
            assert any(f"def {test}(" in path.read_text(encoding="utf-8") for path in files), (number, test)
