BEGIN TRANSACTION;
CREATE TABLE jobs(
  id TEXT PRIMARY KEY, seq INTEGER NOT NULL, plan INTEGER NOT NULL, grp TEXT NOT NULL,
  class_name TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0, images INTEGER NOT NULL DEFAULT 0,
  masks INTEGER NOT NULL DEFAULT 0, kind TEXT, reason TEXT, server TEXT, seconds REAL,
  job TEXT NOT NULL, objects TEXT, files TEXT
) WITHOUT ROWID;
INSERT INTO "jobs" VALUES('00fefc0af81429b8c2060a5b47314079',3,1,'10bb8a04e6810db2','dog',1,1,0,NULL,NULL,'http://127.0.0.1:7860',9.24310899972624611109e-03,'{"id":"00fefc0af81429b8c2060a5b47314079","class_name":"dog","label":1,"first_index":1,"prompt":"a brown dog","negative":"blur","seed":845676443565955,"group":"10bb8a04e6810db2"}',NULL,'{"images": [["66d54cfdc40f1d69f5cdb76e7fd11e76aa33fa117a6fee96c14933e4192b5363", 483, 1796086612539051613]], "masks": []}');
INSERT INTO "jobs" VALUES('3760c416dc3f2bc8406a58a47101075c',1,1,'10bb8a04e6810db2','dog',1,1,0,NULL,NULL,'http://127.0.0.1:7860',4.37330899876542389392e-03,'{"id":"3760c416dc3f2bc8406a58a47101075c","class_name":"dog","label":1,"first_index":0,"prompt":"a brown dog","negative":"blur","seed":1081283987079563,"group":"10bb8a04e6810db2"}',NULL,'{"images": [["9544a435b17c720f68ee0a479896b2e76e5c227c789045b2a2e129203ef5834a", 478, 1796086612529517079]], "masks": []}');
INSERT INTO "jobs" VALUES('42fe7ce106e92e195da5575f4f3175f2',0,1,'10bb8a04e6810db2','cat',1,1,0,NULL,NULL,'http://127.0.0.1:7860',4.46023699987563304603e-03,'{"id":"42fe7ce106e92e195da5575f4f3175f2","class_name":"cat","label":0,"first_index":0,"prompt":"a cat","negative":"blur","seed":614253684785778,"group":"10bb8a04e6810db2"}',NULL,'{"images": [["1201e3aff3e6535fd5f2492befabd6ed9c16f26f013e7739e8059cff1930416f", 474, 1796086612523323260]], "masks": []}');
INSERT INTO "jobs" VALUES('d9edc02471da6b9e7530810de5243d5d',2,1,'10bb8a04e6810db2','cat',1,1,0,NULL,NULL,'http://127.0.0.1:7860',3.44721800138358958065e-03,'{"id":"d9edc02471da6b9e7530810de5243d5d","class_name":"cat","label":0,"first_index":1,"prompt":"a cat","negative":"blur","seed":503755787064620,"group":"10bb8a04e6810db2"}',NULL,'{"images": [["58385a3ac3a746cd83e0e30f4e34ddabd03b53fe34355c3682e7d7dbed8e2a50", 479, 1796086612532738516]], "masks": []}');
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('fingerprint','66524b2cb9ee20eacde2c53e6ae49d30b7127eb7fd2cc7ac6c6d01d145fa3ab7');
INSERT INTO "meta" VALUES('models','{"tiny": {"sha256": "535cf750e0231ba198df1ae2144effd4790281fa1302f5820581e6f6043b05e2"}}');
INSERT INTO "meta" VALUES('plan','1');
INSERT INTO "meta" VALUES('read','4');
CREATE TABLE rejected(
  id TEXT NOT NULL, number INTEGER NOT NULL, reason TEXT, replace INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(id, number)
) WITHOUT ROWID;
CREATE INDEX in_order ON jobs(seq);
CREATE INDEX open_jobs ON jobs(grp, seq) WHERE state = 0;
COMMIT;
