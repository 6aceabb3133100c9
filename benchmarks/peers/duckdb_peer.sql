-- The rulebook by hand in SQL: counts by one join on kinds and one group-by, points in long form, decisions as a CASE.
-- Words with $ are filled by duckdb_peer.py: paths, lists, and dates (as_of; m3 … m120, general: first days; y1, y3, y5).
CREATE TYPE indicator AS ENUM ($names);  -- one byte, ordered like the rulebook
CREATE TEMP TABLE counted AS
SELECT * REPLACE (name::indicator AS name)
FROM (VALUES $counted) AS c(name, kind, first, each, most, severities, scope, spared);

CREATE TEMP TABLE s AS
SELECT
    * EXCLUDE (name, industry, district, is_platform),
    coalesce(patents_in_force >= 1, false) AS owner,
    coalesce(is_gi_user, false) AS gi_user,
    coalesce(is_ip_agency, false) AS agency,
    coalesce(is_online_operator, false) AS sells,
    coalesce(is_cross_border, false) AS border
FROM read_parquet($subjects);

CREATE VIEW alive AS
FROM read_parquet($records)
WHERE decided_on <= $as_of AND (revoked_on IS NULL OR revoked_on > $as_of) AND (repaired_on IS NULL OR repaired_on > $as_of);

-- 97 % of the records: nothing but kind and date.
CREATE TEMP TABLE ordinary AS
SELECT subject_no, name, count(*) AS n, max(decided_on) AS newest
FROM alive
JOIN (
    SELECT name, kind, first FROM counted WHERE each > 0
    UNION ALL VALUES
        ('report_overdue'::indicator, 'report.annual', DATE '1900-01-01'),
        ('takedowns'::indicator, 'platform.takedown', $m12),
        ('shops_declared'::indicator, 'shop.declared', $m24)
) USING (kind)
WHERE decided_on >= first
GROUP BY subject_no, name;

-- Offences and the two lasting kinds.
CREATE TEMP TABLE few AS
SELECT
    subject_no, kind, severity, decided_on, corrected_on, is_first_offence, amount,
    valid_until IS NULL OR valid_until >= $as_of AS lasts,
    corrected_on IS NOT NULL AND corrected_on <= $as_of AS is_corrected,
    kind LIKE 'penalty.%' AS is_penalty
FROM alive
WHERE kind IN ($few);

CREATE TEMP TABLE found AS
SELECT
    subject_no,
    coalesce(bool_or(lasts) FILTER (kind = 'gi.approval'), false) AS gi_approved,
    coalesce(bool_or(lasts) FILTER (kind = 'standard.certified'), false) AS certified,
    coalesce(bool_or(lasts) FILTER (kind = 'list.abnormal'), false) AS abnormal_list,
    coalesce(bool_or(lasts) FILTER (kind = 'list.serious'), false) AS serious_list,
    coalesce(bool_or(lasts) FILTER (kind = 'enforcement.defaulter'), false) AS defaulter,
    count(*) FILTER (kind = 'filing.abnormal_patent' AND decided_on >= $m12) AS abnormal_filings,
    count(*) FILTER (kind = 'filing.abnormal_patent' AND decided_on >= $m12
        AND NOT (is_corrected AND corrected_on - decided_on <= 30)) AS abnormal_late,
    count(*) FILTER (is_penalty AND decided_on >= $general) AS fined,
    coalesce(sum(amount) FILTER (is_penalty AND decided_on >= $general), 0)::BIGINT AS fines,
    count(DISTINCT date_trunc('month', decided_on)) FILTER (is_penalty AND decided_on >= $m24) AS repeated_months,
    count(*) FILTER (kind = 'judgment.lost' AND decided_on >= $m36) AS suits_lost,
    coalesce(sum(amount) FILTER (kind = 'judgment.lost' AND decided_on >= $m36), 0)::BIGINT AS damages,
    max(decided_on) FILTER (kind IN ($stains)) AS last_stain,
    count(*) FILTER (kind IN ($term) AND decided_on >= $m12) >= 1
        OR count(*) FILTER (kind IN ($term) AND decided_on >= $m24) >= 2
        OR count(*) FILTER (kind IN ($term) AND decided_on >= $m36) >= 3 AS is_managed
FROM few
GROUP BY subject_no;

CREATE TEMP TABLE points AS
SELECT subject_no, name::indicator AS name, num, den, CASE WHEN abs(raw) > abs(most) THEN most ELSE raw END AS points,
    CASE WHEN abs(raw) > abs(most) THEN raw END AS uncapped
FROM (
    SELECT subject_no, name, n AS num, 1 AS den, n * each AS raw, most FROM ordinary JOIN counted USING (name)
    UNION ALL
    SELECT subject_no, c.name, count(*), 1, count(*) * any_value(each), any_value(most)
    FROM few
    JOIN counted AS c USING (kind)
    JOIN s USING (subject_no)
    WHERE each < 0 AND decided_on >= first AND (severities IS NULL OR list_contains(severities, severity))
        AND NOT (spared = 'corrected' AND is_corrected)
        AND NOT (spared = 'first_offence' AND coalesce(is_first_offence, false))
        AND CASE scope WHEN 'all' THEN true WHEN 'agency' THEN agency WHEN 'cross_border' THEN border
            WHEN 'not_cross_border' THEN NOT border WHEN 'online' THEN sells ELSE sells OR border END
    GROUP BY subject_no, c.name
    UNION ALL
    SELECT l.subject_no, 'controlled_dishonesty', count(DISTINCT related_no), 1, -5000 * count(DISTINCT related_no), -10000
    FROM read_parquet($relations) AS l JOIN found AS f ON f.subject_no = l.related_no
    WHERE relation = 'controls' AND serious_list
    GROUP BY l.subject_no
    UNION ALL
    SELECT subject_no, 'abnormal_filings', abnormal_filings, 1, -4000 * abnormal_late, -20000
    FROM found WHERE abnormal_filings > 0
    UNION ALL
    SELECT subject_no, name, $as_of - newest, 1,
        CASE WHEN $as_of - newest >= 915 THEN -4000 WHEN $as_of - newest >= 550 THEN -2000 ELSE 0 END, NULL
    FROM ordinary WHERE name = 'report_overdue'
    UNION ALL
    SELECT subject_no, name, n, 1, CASE WHEN n >= 10 THEN -5000 WHEN n >= 3 THEN -2000 ELSE -500 END, NULL
    FROM ordinary JOIN s USING (subject_no) WHERE ordinary.name = 'takedowns' AND (sells OR border)
    UNION ALL
    SELECT subject_no, 'takedowns_per_shop', n, shops,
        greatest(-((1500 * (n - shops) + shops - 1) // (2 * shops)), -3000), NULL
    FROM ordinary JOIN s USING (subject_no)
    WHERE name = 'takedowns' AND sells AND shops > 0 AND 1500 * (n - shops) + shops - 1 >= 2 * shops
    UNION ALL
    SELECT subject_no, name, 1, 1, 500, NULL
    FROM ordinary JOIN s USING (subject_no) WHERE name = 'shops_declared' AND sells
    UNION ALL SELECT subject_no, 'gi_approved', 1, 1, 1000, NULL FROM found WHERE gi_approved
    UNION ALL SELECT subject_no, 'certified', 1, 1, 1000, NULL FROM found WHERE certified
    UNION ALL SELECT subject_no, 'abnormal_list', 1, 1, -10000, NULL FROM found WHERE abnormal_list
    UNION ALL
    SELECT subject_no, 'fines', fines, 100, CASE WHEN fines >= 100000000 THEN -10000 WHEN fines >= 20000000 THEN -5000
        WHEN fines >= 5000000 THEN -2000 ELSE 0 END, NULL
    FROM found WHERE fined > 0
    UNION ALL
    SELECT subject_no, 'repeated_months', repeated_months, 1,
        CASE WHEN repeated_months >= 6 THEN -10000 WHEN repeated_months >= 3 THEN -5000 ELSE 0 END, NULL
    FROM found WHERE repeated_months > 0
    UNION ALL
    SELECT subject_no, 'damages', damages, 100,
        CASE WHEN damages >= 100000000 THEN -4000 WHEN damages >= 10000000 THEN -1000 ELSE 0 END, NULL
    FROM found WHERE suits_lost > 0
    UNION ALL SELECT subject_no, 'address_lost', 1, 1, -3000, NULL FROM s WHERE contact_lost
    UNION ALL SELECT subject_no, 'disclosure_incomplete', 0, 1, -1000, NULL FROM s WHERE NOT information_complete
    UNION ALL SELECT subject_no, 'system', 1, 1, 500, NULL FROM s WHERE has_ip_system
    UNION ALL SELECT subject_no, 'licence_hidden', 0, 1, -1000, NULL FROM s WHERE sells AND NOT licence_shown
    UNION ALL SELECT subject_no, 'platform_rules', 0, 1, -3000, NULL FROM s WHERE sells AND NOT has_platform_rules
    UNION ALL
    SELECT subject_no, 'inventions_held', inventions_in_force, 1,
        CASE WHEN inventions_in_force >= 20 THEN 1500 WHEN inventions_in_force >= 5 THEN 1000 ELSE 500 END, NULL
    FROM s WHERE inventions_in_force >= 1
    UNION ALL
    SELECT subject_no, 'staff', ip_staff, 1, CASE WHEN ip_staff >= 3 THEN 1000 ELSE 500 END, NULL FROM s WHERE ip_staff >= 1
    UNION ALL
    SELECT subject_no, 'maintenance', patents_in_force, patents_ever,
        CASE WHEN 5 * patents_in_force >= 4 * patents_ever THEN 1000 ELSE 500 END, NULL
    FROM s WHERE owner AND patents_ever > 0 AND 2 * patents_in_force >= patents_ever
    UNION ALL
    SELECT subject_no, 'agency_grade_used', NULL, NULL,
        CASE agency_grade WHEN 'A+' THEN 4000 WHEN 'A' THEN 2000 WHEN 'C' THEN -8000 ELSE -20000 END, NULL
    FROM s WHERE agency AND agency_grade IN ('A+', 'A', 'C', 'D')
    UNION ALL
    SELECT subject_no, 'clean_years',
        year($as_of) - year(since) - (month(since) * 100 + day(since) > $month_and_day)::INT, 1,
        CASE WHEN since <= $y5 THEN 3000 ELSE 2000 END, NULL
    FROM (
        SELECT subject_no, greatest(CASE WHEN established_on <= $as_of THEN established_on END, last_stain) AS since
        FROM s LEFT JOIN found USING (subject_no)
        WHERE owner OR gi_user OR agency
    )
    WHERE since <= $y3
);

-- One column for each dimension, then what limits, floor and ceiling change.
CREATE TEMP TABLE sums AS
SELECT *, 80000 + basic + held_creation + held_management + held_conduct + held_protection + held_online
    + held_commitment AS raw_milli
FROM (
    SELECT *, least(creation, 5000) AS held_creation, least(management, 5000) AS held_management,
        greatest(conduct, -80000) AS held_conduct, greatest(protection, -30000) AS held_protection,
        greatest(online, -20000) AS held_online, least(commitment, 8000) AS held_commitment
    FROM (
        SELECT subject_no, $sums
        FROM (SELECT subject_no, enum_code(name) AS place, points FROM points WHERE points <> 0)
        GROUP BY subject_no
    )
);

CREATE VIEW adjustments AS
SELECT subject_no, '@1:floor' AS name, -raw_milli AS change FROM sums WHERE raw_milli < 0
UNION ALL SELECT subject_no, '@2:ceiling', 100000 - raw_milli FROM sums WHERE raw_milli > 100000
UNION ALL SELECT subject_no, '@creation', held_creation - creation FROM sums WHERE held_creation <> creation
UNION ALL SELECT subject_no, '@management', held_management - management FROM sums WHERE held_management <> management
UNION ALL SELECT subject_no, '@conduct', held_conduct - conduct FROM sums WHERE held_conduct <> conduct
UNION ALL SELECT subject_no, '@protection', held_protection - protection FROM sums WHERE held_protection <> protection
UNION ALL SELECT subject_no, '@online', held_online - online FROM sums WHERE held_online <> online
UNION ALL SELECT subject_no, '@commitment', held_commitment - commitment FROM sums WHERE held_commitment <> commitment;

CREATE VIEW contributions AS
SELECT subject_id, p.name AS indicator, num::BIGINT AS value_num, den::BIGINT AS value_den, points::BIGINT AS points_milli,
    uncapped::BIGINT AS uncapped_milli
FROM (
    SELECT subject_no, name, num, den, points, uncapped FROM points
    UNION ALL
    SELECT subject_no, name::indicator, NULL, NULL, change, NULL FROM adjustments
) AS p
JOIN s USING (subject_no)
ORDER BY subject_no, p.name;

CREATE VIEW grades AS
SELECT subject_id, class, class_mask, start_milli, implied_milli, score_milli, 'ABCD'[1 + cut] AS ladder_grade,
    CASE WHEN is_deregistered THEN 'N' WHEN serious OR defaults THEN 'D' ELSE 'ABCD'[1 + after] END AS grade,
    CASE WHEN is_deregistered THEN 'exclude:deregistered'
        WHEN serious THEN 'direct:serious_list'
        WHEN defaults THEN 'direct:defaulter'
        WHEN after > capped THEN 'shift:grave_effect'
        WHEN capped > cut THEN cap
        ELSE 'cut' END AS step,
    CASE WHEN is_deregistered THEN 'exclude:deregistered'
        WHEN serious AND defaults THEN 'direct:serious_list|direct:defaulter'
        WHEN serious THEN 'direct:serious_list'
        WHEN defaults THEN 'direct:defaulter'
        WHEN after > capped AND capped > cut THEN cap || '|shift:grave_effect'
        WHEN after > capped THEN 'shift:grave_effect'
        WHEN capped > cut THEN cap
        ELSE '' END AS acted
FROM (
    SELECT
        *,
        (score_milli < 90000)::INT + (score_milli < 75000)::INT + (score_milli < 60000)::INT AS cut,
        greatest(cut, CASE cap WHEN '' THEN 0 WHEN 'cap:under_management' THEN 2 ELSE 1 END) AS capped,
        least(3, capped + shift) AS after
    FROM (
        SELECT
            subject_no,
            subject_id,
            CASE WHEN owner THEN 'patent_owner' WHEN trademarks_in_force >= 1 THEN 'trademark_user'
                WHEN gi_user THEN 'gi_user' WHEN agency THEN 'ip_agency' WHEN sells THEN 'online_operator'
                WHEN border THEN 'cross_border'
                WHEN is_logistics THEN 'logistics' END AS class,
            (owner::INT + 2 * coalesce(trademarks_in_force >= 1, false)::INT + 4 * gi_user::INT + 8 * agency::INT
                + 16 * sells::INT + 32 * border::INT + 64 * coalesce(is_logistics, false)::INT)::BIGINT AS class_mask,
            80000::BIGINT AS start_milli,
            0::BIGINT AS implied_milli,
            greatest(0, least(100000, coalesce(raw_milli, 80000)))::BIGINT AS score_milli,
            coalesce(is_deregistered, false) AS is_deregistered,
            coalesce(serious_list, false) AS serious,
            coalesce(defaulter, false) AS defaults,
            CASE WHEN is_managed THEN 'cap:under_management'
                WHEN established_on <= $as_of AND established_on > $y1 THEN 'cap:newly_established'
                WHEN abnormal_list THEN 'cap:abnormal_operations' ELSE '' END AS cap,
            CASE WHEN is_grave THEN greatest(1, least(2, coalesce(officer_shift, 1))) ELSE 0 END AS shift
        FROM s
        LEFT JOIN sums USING (subject_no)
        LEFT JOIN found USING (subject_no)
    )
)
ORDER BY subject_no;
