-- One row per submission whose answers are still encrypted here: no key opens them, or a part has not come.
select submission_id, form_id || ' · ' || form_version as detail
from raw.current
where deleted_at is null and is_sealed
