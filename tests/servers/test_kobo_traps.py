"""Each trap seen on a real KoboToolbox that concerns a client, and the tests that hold us to it.

The points are those of what was written down about it: the section, and the number where the section counts.

| point | what the server does | tests |
|---|---|---|
| 1 | what one may not see is not there: 404, not 403 | test_kobo_api::test_what_one_may_not_see_is_not_there, test_kobo::test_an_account_that_sees_nothing_takes_nothing_away |
| 1 | errors are JSON or pages of HTML, whatever was asked for | test_kobo_api::test_what_is_not_there_is_told_alike_in_json_and_in_html, test_kobo_api::test_every_answer_that_is_none_has_its_code |
| 1 | `?format=json` is copied into every address it gives | test_kobo_api::test_it_is_asked_for_json_in_a_header_and_nothing_is_sent_back |
| 1 | without its slash an address sends elsewhere, and the body is lost | test_kobo_api::test_an_address_without_its_slash_is_not_followed, test_kobo_api::test_every_address_ends_with_a_slash |
| 2 | the first API is gone: 410 | test_kobo_api::test_every_answer_that_is_none_has_its_code |
| 3 | an import reads forms, not JSON, and makes a library's block unless told not to | test_kobo_forms::test_an_import_is_followed_by_its_own_address |
| 3 | the list of imports fails as soon as there is one | test_kobo_forms::test_an_import_is_followed_by_its_own_address |
| 3 | what cannot be read is told by the task, not by a status | test_kobo_forms::test_a_form_it_cannot_import_is_named_with_its_words |
| 3 | an import may take long | test_kobo_forms::test_a_form_that_is_read_for_too_long_may_be_tried_again |
| 3 | our form_id and version name nothing; the title is the asset's name | test_kobo_forms::test_a_form_is_known_by_what_is_written_beside_it_and_open_to_phones, test_kobo_forms::test_a_form_that_reads_cases_is_one_of_each_office |
| 4 | a content that was saved is a version that no phone has | test_kobo_assets::test_a_draft_is_no_version_until_phones_get_it |
| 4 | another name is a new version too | test_kobo_forms::test_another_name_given_by_a_hand_is_no_change_of_its_questions |
| 4 | no fact of an asset moves with an edit | test_kobo::test_whatever_happened_the_warehouse_says_what_the_server_says |
| 4 | a copy made by a hand keeps all its settings | test_kobo_assets::test_a_project_copied_by_a_hand_is_not_taken_for_the_form |
| 5 | without `active` a deployment takes no submissions | test_kobo_forms::test_a_form_is_known_by_what_is_written_beside_it_and_open_to_phones |
| 5 | any version but the newest is a 500 | test_kobo_assets::test_going_back_to_a_former_form_is_a_version_of_its_own |
| 5 | a second first deployment is refused | test_kobo_deploy::test_interrupted_at_any_request_a_second_deployment_finishes |
| 5 | `active` alone opens and closes | test_kobo_deploy::test_a_form_that_comes_back_is_sent_again, test_kobo_forms::test_a_form_that_a_hand_archived_is_opened_again |
| 5 | a wrong form is found only when it is deployed | test_kobo_forms::test_a_form_it_cannot_deploy_is_told_in_the_words_of_its_compiler |
| 5 | answers to old versions are taken for ever | test_kobo_forms::test_a_phone_that_still_has_the_old_form_may_send_what_it_holds |
| 6 | permissions sent in bulk take all others away, and do not open a form to anybody | test_kobo_people::test_permissions_are_given_one_by_one_and_never_all_at_once, test_kobo_people::test_anybody_sends_a_form_while_it_is_declared_and_sees_nothing |
| 6 | who sees a part is told a smaller count | test_kobo_people::test_in_everybodys_form_an_account_sees_what_its_own_office_sent, test_kobo::test_an_account_that_may_see_a_part_buries_nothing |
| 6 | a part of the rows takes the right to all of them away | test_kobo_people::test_who_manages_a_form_loses_nothing_by_being_declared |
| 6 | what everybody may do is not told to accounts: their phones list no form of strangers, a part of the rows stays a part | test_kobo_people::test_a_form_open_to_anybody_is_listed_to_strangers_and_not_to_the_phones_of_other_accounts, test_kobo_people::test_what_a_hand_showed_to_everybody_is_hidden_again |
| 6 | nothing can be taken from the owner: 409 | test_kobo_people::test_the_account_of_the_pipeline_is_declared_and_taken_out_again_without_a_trace |
| 6 | a permission brings others, and takes them with it | test_kobo_people::test_an_account_that_is_declared_no_more_is_shut_out |
| 7 | a file without `metadata` is a 500, and a name that is taken is refused | test_kobo_media::test_a_name_that_is_taken_is_refused_until_the_old_file_is_gone |
| 7 | phones get a file only after another deployment | test_kobo_media::test_phones_get_a_file_only_once_the_form_is_deployed_again |
| 7 | between the old file and the new one there is none | test_kobo_lists::test_interrupted_at_any_request_the_next_call_finishes |
| 8 | more than 1000 rows are never given, whatever is asked for | test_kobo_rows::test_every_row_comes_once_in_pages_however_many_the_server_gives |
| 8 | `offset` and `page` move nothing but the links | test_kobo_rows::test_every_row_comes_once_in_pages_however_many_the_server_gives |
| 8 | links name the host that was asked | test_kobo::test_rows_are_asked_for_by_their_order_and_again_a_little_before_the_last |
| 8 | an answer that was cut may be JSON | test_kobo_rows::test_a_page_cut_between_its_rows_is_not_taken_for_the_end, test_kobo_rows::test_an_answer_without_its_count_or_its_rows_is_not_believed |
| 8 | with `fields`, a review looks empty unless it is named | test_kobo_rows::test_a_listing_tells_the_review_that_a_list_without_it_denies |
| 8 | `question_xpath` depends on the columns asked for | test_kobo_rows::test_a_listing_tells_of_files_and_not_always_where_they_were_asked_for |
| 8 | one row is found by its first identifier and its last, by none between | test_kobo_files::test_a_version_that_was_edited_has_its_files_no_more |
| 8 | every answer is a text under its whole path, and what was not answered is not there | test_kobo_rows::test_answers_are_texts_under_their_path_and_what_was_not_answered_is_not_there, test_addresses::test_flat_rows_have_the_whole_path_as_a_key_in_repeats_too |
| 8 | times have no zone | test_kobo_rows::test_a_time_is_utc_to_the_second_and_does_not_say_so |
| 9 | an edit keeps the number and the time, and has another identifier | test_kobo_rows::test_an_edit_is_another_instance_of_the_same_submission |
| 9 | an edit of what was edited already is refused | test_kobo_rows::test_an_edit_of_a_version_that_is_no_more_the_last_is_refused |
| 9 | a review changes nothing else, and taken back leaves no trace | test_kobo::test_a_review_is_told_in_our_words, test_kobo::test_an_edit_leaves_an_approval_as_the_server_does |
| 9 | a deleted file stays in the row; a late one comes without a word | test_kobo_files::test_a_file_that_a_hand_deleted_is_not_there, test_kobo_files::test_a_file_that_comes_late_is_found, test_kobo::test_a_deleted_file_is_written_down_as_gone |
| 9 | what is deleted vanishes | test_kobo_rows::test_what_was_deleted_is_listed_and_fetched_no_more, test_kobo::test_what_is_deleted_is_buried_and_lives_again_when_it_is_sent_again |
| 9 | a duplicate is new | test_kobo_rows::test_a_duplicate_is_a_submission_of_its_own |
| 9 | the history needs a manager, and grows with every look at the rows | test_kobo_rows::test_the_history_is_not_asked_for |
| 10.1 | `_submission_time` tells of new rows only, not of those dated back, and ties in a second | test_kobo::test_of_one_second_whoever_came_first_stays_first, test_kobo_rows::test_a_row_that_is_dated_back_is_new_all_the_same, test_kobo::test_whatever_happened_the_warehouse_says_what_the_server_says |
| 10.2 | a row takes its `_id` before it is seen | test_kobo_rows::test_a_row_that_shows_late_comes_with_the_next_one, test_kobo::test_a_slow_post_shows_behind_rows_already_seen_and_comes |
| 10.3 | pages by `start` shift when rows are deleted | test_kobo_race::test_nothing_is_missing_whatever_happens_while_we_pull, test_kobo::test_what_is_deleted_while_pages_are_read_hides_no_other_row |
| 10.4 | only `meta/rootUuid` stays the same | test_kobo_rows::test_an_edit_is_another_instance_of_the_same_submission, test_kobo_rows::test_a_row_without_its_identifier_is_refused |
| 10.5 | edits and deletions are found by comparing all rows | test_kobo::test_more_changes_than_fit_a_page_all_come, test_kobo::test_many_deletions_stop_the_pull_until_a_person_says_so |
| 10.6 | a row may be shown that was never stored, and go again | test_kobo::test_what_is_deleted_is_buried_and_lives_again_when_it_is_sent_again |
| 10.7 | a renamed question is another key, and old rows keep the old one | test_kobo_forms::test_a_new_version_reaches_phones_and_what_was_sent_before_is_read_as_before, test_staging_flat::test_a_question_that_moved_is_read_at_its_former_flat_place_too |
| 11 | a resend is harmless, other answers under a known identifier are refused | test_contract::test_a_resend_adds_nothing, test_contract::test_other_answers_under_a_known_id_are_refused |
| 11 | an archived form takes nothing | test_kobo_deploy::test_a_retired_form_leaves_the_phones_and_what_was_sent_is_pulled |
| 11 | strangers have an address of their own | test_kobo_people::test_anybody_sends_a_form_while_it_is_declared_and_sees_nothing |
| 15 | too many requests are refused for a while | test_kobo_api::test_a_server_that_is_overloaded_is_asked_again_after_a_while |
| 16 | names that differ only in case, or come twice, are refused | test_pyxform_3::test_the_form_passes_there_without_a_warning_and_asks_the_same, test_kobo_forms::test_a_form_it_cannot_import_is_named_with_its_words |
| 16 | it may stumble over two uploads at once | test_kobo_api::test_what_is_sent_is_never_sent_twice_by_itself, test_http::test_a_stumble_is_not_repeated_at_once_and_only_reading_may_be_tried_later |
| 16 | a row of a repeat without answers is left out, and the others move up | test_kobo_rows::test_a_row_of_a_repeat_without_answers_is_not_there, test_staging_flat::test_whatever_is_sent_staging_is_the_same_from_every_server |
| 16 | answers of blanks are left out | test_staging_flat::test_an_answer_of_blanks_is_none |
| 16 | what was deleted and is sent again lives as if nothing had been | test_kobo::test_what_is_deleted_is_buried_and_lives_again_when_it_is_sent_again |
| 16 | a bulk edit writes a wrong identifier into the XML, the row has the right one | test_kobo::test_a_bulk_edit_is_an_edit_and_the_submission_stays_the_same |
| 16 | a log that an edit drops stays | test_kobo_files::test_a_log_that_an_edit_dropped_stays_with_it |
"""  # noqa: E501 - a row is a line

import re
from pathlib import Path

_ROW = re.compile(r"^\| ([\d.]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_TEST = re.compile(r"\b(test_\w+)::(test_\w+)")
_LINES = re.compile(r"^\| \d", re.MULTILINE)
# Sections 12 to 14 are of what we do not use: exports, hooks, data of other projects.
_SECTIONS = {*range(1, 12), 15, 16}
_PITFALLS = 7


def test_every_point_has_a_test_that_exists() -> None:
    rows = _ROW.findall(__doc__ or "")
    assert len(rows) == len(_LINES.findall(__doc__ or ""))
    assert {int(point.partition(".")[0]) for point, _, _ in rows} == _SECTIONS
    assert [point for point, _, _ in rows if "." in point] == [f"10.{number}" for number in range(1, _PITFALLS + 1)]
    for point, _, tests in rows:
        named = _TEST.findall(tests)
        assert named, point
        for module, test in named:
            files = Path(__file__).parents[1].rglob(f"{module}.py")
            assert any(f"def {test}(" in path.read_text(encoding="utf-8") for path in files), (point, test)
